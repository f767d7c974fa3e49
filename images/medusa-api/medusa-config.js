// Medusa's configuration, read from the environment.
"use strict";

const { defineConfig } = require("@medusajs/framework/utils");
const { backend, database } = require("./lib/settings");

const env = process.env;
const { url, ssl } = database();
const redisUrl = env.REDIS_URL || undefined;
const secure = backend().startsWith("https:");

/** State that several replicas must share: cache, events, running workflows, locks. */
const shared = redisUrl && [
  {
    resolve: "@medusajs/medusa/caching",
    options: {
      providers: [{ resolve: "@medusajs/medusa/caching-redis", id: "caching-redis", is_default: true, options: { redisUrl } }],
    },
  },
  { resolve: "@medusajs/medusa/event-bus-redis", options: { redisUrl } },
  { resolve: "@medusajs/medusa/workflow-engine-redis", options: { redis: { redisUrl } } },
  {
    resolve: "@medusajs/medusa/locking",
    options: {
      providers: [{ resolve: "@medusajs/medusa/locking-redis", id: "locking-redis", is_default: true, options: { redisUrl } }],
    },
  },
];

/** In addition to the manual provider, which Medusa always registers as `pp_system_default`. */
const stripe = env.STRIPE_API_KEY && [
  {
    resolve: "@medusajs/medusa/payment",
    options: {
      providers: [
        {
          resolve: "@medusajs/medusa/payment-stripe",
          id: "stripe",
          options: { apiKey: env.STRIPE_API_KEY, webhookSecret: env.STRIPE_WEBHOOK_SECRET },
        },
      ],
    },
  },
];

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: url,
    databaseDriverOptions: { connection: { ssl } },
    redisUrl,
    http: {
      storeCors: env.STORE_CORS,
      adminCors: env.ADMIN_CORS,
      authCors: env.AUTH_CORS,
      jwtSecret: env.JWT_SECRET,
      cookieSecret: env.COOKIE_SECRET,
    },
    // Browsers drop Secure cookies of plain HTTP pages, so nobody could sign in to the admin of a local store.
    cookieOptions: { sameSite: "lax", secure },
    // Browsers accept a cookie with this prefix from this host only: no neighbour below the same domain can set another.
    sessionOptions: secure ? { name: "__Host-connect.sid" } : undefined,
    workerMode: env.MEDUSA_WORKER_MODE || "shared",
  },
  featureFlags: redisUrl ? { caching: true } : {},
  // The pages send requests to their own origin, so one build works for every store.
  admin: { disable: env.DISABLE_MEDUSA_ADMIN === "true", backendUrl: "/" },
  modules: [
    {
      resolve: "@medusajs/medusa/file",
      options: { providers: [{ resolve: "@medusajs/medusa/file-local", id: "local", options: { backend_url: `${backend()}/static` } }] },
    },
    ...(shared || []),
    ...(stripe || []),
  ],
});
