// Serves Medusa: opens the port at once, reports readiness with a reason, and lets open requests end before it stops.
"use strict";

const http = require("node:http");
const path = require("node:path");
const { connect, drop } = require("./database");
const { headers, refuseForeignPages } = require("./pages");
const { Readiness, within } = require("./readiness");
const { database } = require("./settings");

const ROOT = path.join(__dirname, "..");
/** Time for open requests, then for Medusa to stop. The sum must be below the rest of the pod's grace period, 27 seconds. */
const DRAIN = 20_000;
const SHUTDOWN = 5_000;

async function start(env = process.env) {
  const target = database(env);
  const readiness = new Readiness(target, env.REDIS_URL);
  const always = headers(env);
  let medusa;
  let ending = false;

  const server = http.createServer((request, response) => {
    response.setHeaders(always);
    const [pathname] = request.url.split("?", 1);
    if (pathname === "/health") return answer(response, 200, "OK");
    if (pathname === "/health/ready") return answerReady(response);
    if (ending) response.setHeader("Connection", "close");
    if (medusa) return medusa.app(request, response);
    response.setHeader("Retry-After", "1");
    answer(response, 503, { reason: "Medusa is starting" });
  });
  // Longer than a proxy keeps idle connections; otherwise it would send requests on closed ones.
  server.keepAliveTimeout = 65_000;

  async function answerReady(response) {
    const reason = ending ? "the server is stopping" : ((await readiness.check()) ?? (medusa ? null : "Medusa is starting"));
    if (reason) answer(response, 503, { reason });
    else answer(response, 200, { status: "ready" });
  }

  async function stop() {
    if (ending) return;
    ending = true;
    const closed = new Promise((resolve) => server.close(resolve));
    await within(DRAIN, closed).catch(() => server.closeAllConnections());
    if (medusa) await within(SHUTDOWN, medusa.shutdown()).catch((error) => console.error(`Medusa did not stop cleanly: ${error.message}`));
    readiness.close();
    process.exit(0);
  }
  // Process 1 of a container ignores these signals unless it has a handler.
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(Number(env.PORT) || 9000, env.HOST || "0.0.0.0", resolve);
  });
  // Medusa would retry for minutes without a message and then exit; the readiness probe reports what is missing instead.
  drop(await connect(target, Infinity));
  if (ending) return;
  const app = require("express")();
  app.use(refuseForeignPages(env));
  const load = require("@medusajs/medusa/loaders/index").default;
  const { shutdown } = await load({ directory: ROOT, expressApp: app });
  medusa = { app, shutdown };
  console.log(JSON.stringify({ level: "info", message: `ready after ${Math.round(process.uptime() * 1000)} ms` }));
}

function answer(response, status, body) {
  const text = typeof body === "string";
  response.writeHead(status, { "Content-Type": text ? "text/plain" : "application/json", "Cache-Control": "no-store" });
  response.end(text ? body : JSON.stringify(body));
}

module.exports = { start };
