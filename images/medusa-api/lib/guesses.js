// Limits of failed attempts to look an order up, per client address and per e-mail address. The replicas of a store share
// them through Redis; without Redis, or while it is away, each counts by itself.
"use strict";

const { Redis } = require("ioredis");
const ipaddr = require("ipaddr.js");
const { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } = require("rate-limiter-flexible");

/** Seconds. */
const WINDOW = 15 * 60;
/** More than one customer may share an address. */
const PER_CLIENT = 60;
const PER_EMAIL = 10;

class Guesses {
  #clients;
  #emails;

  constructor(redisUrl) {
    const redis = redisUrl && new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    // The readiness probe reports what is wrong with Redis.
    if (redis) redis.on("error", () => {});
    this.#clients = limiter(redis, "lookup:client", PER_CLIENT);
    this.#emails = limiter(redis, "lookup:email", PER_EMAIL);
  }

  /** Counts an attempt before its outcome is known, so that attempts at the same time count, too; the seconds to wait if there were too many. */
  async count(client, email) {
    try {
      await this.#clients.consume(network(client));
      await this.#emails.consume(email);
    } catch (error) {
      if (error instanceof RateLimiterRes) return Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      throw error;
    }
  }

  /** Takes back the count of an attempt that succeeded. */
  async forgive(client, email) {
    await Promise.all([this.#clients.reward(network(client)), this.#emails.reward(email)]);
  }
}

function limiter(redis, keyPrefix, points) {
  const memory = new RateLimiterMemory({ keyPrefix, points, duration: WINDOW });
  return redis ? new RateLimiterRedis({ storeClient: redis, keyPrefix, points, duration: WINDOW, insuranceLimiter: memory }) : memory;
}

/** What one client can hardly leave: its IPv4 address, or the /64 network of its IPv6 address. */
function network(client) {
  if (!ipaddr.isValid(client)) return String(client);
  const address = ipaddr.process(client);
  return address.kind() === "ipv6" ? address.parts.slice(0, 4).join(":") : address.toString();
}

module.exports = { Guesses };
