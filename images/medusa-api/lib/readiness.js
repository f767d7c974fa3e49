// Checks whether the database and, if configured, Redis answer. The check has a timeout of its own.
"use strict";

const { drop, explain, open } = require("./database");

// Longer than a busy node needs to answer, shorter than the probe's timeout.
const LIMIT = 3000;

/** Keeps one connection to each. Medusa's pools are not used, because a check would wait in their queues. */
class Readiness {
  #database;
  #client;
  #redis;
  #running;

  constructor(database, redisUrl) {
    this.#database = database;
    if (redisUrl) {
      const { Redis } = require("ioredis");
      this.#redis = new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 250 });
      // Emitted for each failed connection attempt; the ping below reports the failure.
      this.#redis.on("error", () => {});
    }
  }

  /** Null if all answer, otherwise a sentence with the reason. Concurrent probes share one check. */
  check() {
    this.#running ??= this.#checkAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #checkAll() {
    const [database, redis] = await Promise.all([this.#checkDatabase(), this.#redis && this.#checkRedis()]);
    return database ?? redis ?? null;
  }

  async #checkDatabase() {
    try {
      await within(LIMIT, this.#ask());
    } catch (error) {
      if (this.#client) drop(this.#client);
      this.#client = undefined;
      return explain(error, this.#database).sentence;
    }
  }

  async #ask() {
    this.#client ??= await open(this.#database, LIMIT);
    await this.#client.query("SELECT 1");
  }

  async #checkRedis() {
    try {
      await within(LIMIT, this.#redis.ping());
    } catch {
      return `Redis at ${this.#redis.options.host}:${this.#redis.options.port} does not answer`;
    }
  }

  close() {
    if (this.#client) drop(this.#client);
    this.#redis?.disconnect();
  }
}

async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("timeout")), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { Readiness, within };
