// Connections to the store's database, and its errors in words for a shop owner.
"use strict";

const { setTimeout: sleep } = require("node:timers/promises");
const { Client } = require("pg");

/** What went wrong, in one sentence without secrets. */
class Problem extends Error {}

/** Connection errors that trying again may cure: the database is starting, moving, or not there yet. */
const PASSING = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed",
  EPIPE: "the connection was closed",
  ENOENT: "there is no such socket",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "its name cannot be looked up",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the host",
  ETIMEDOUT: "no answer",
};

/** The same for what the server itself says, by SQLSTATE. */
const BUSY = {
  "53300": "it has no connection left",
  "57P01": "it is shutting down",
  "57P02": "it is recovering from a crash",
  "57P03": "it is starting or shutting down",
};

/** What `error` means for the user of `database`: a sentence and whether waiting may help. */
function explain(error, database) {
  const { host, user, name } = database;
  const passing = PASSING[error.code];
  if (passing) return { passing: true, sentence: `the database at ${host} cannot be reached: ${passing}` };
  if (BUSY[error.code]) return { passing: true, sentence: `the database at ${host} cannot be used: ${BUSY[error.code]}` };
  const failed = (sentence) => ({ passing: false, sentence });
  switch (error.code) {
    case "28P01":
      return failed(`the database at ${host} refuses the password of user ${user}`);
    case "28000":
      return failed(`the database at ${host} refuses user ${user}`);
    case "3D000":
      return failed(`the server at ${host} has no database ${name}`);
    case "42501":
      return failed(`user ${user} lacks a right in database ${name} at ${host}: ${error.message}`);
    case "55P03":
      return failed(`another pod has been preparing the database at ${host} for minutes`);
  }
  // The driver gives these no code.
  if (/timeout/i.test(error.message)) return { passing: true, sentence: `the database at ${host} cannot be reached: no answer` };
  if (/terminated/i.test(error.message)) return { passing: true, sentence: `the database at ${host} cannot be reached: the connection was closed` };
  if (/does not support SSL/i.test(error.message)) return failed(`the database at ${host} does not offer TLS, which DATABASE_SSL asks for`);
  return failed(`the database at ${host} cannot be used: ${error.message}`);
}

/** One connection, or the driver's error within `timeout` milliseconds. The caller ends it. */
async function open(database, timeout) {
  const client = new Client({
    connectionString: database.url,
    ssl: database.ssl,
    connectionTimeoutMillis: timeout,
    application_name: "urumi",
  });
  // Without a listener, losing an idle connection would end the process; the next query fails all the same.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    drop(client);
    throw error;
  }
}

/** Lets go of a connection at once, also one whose server no longer answers. */
function drop(client) {
  client.connection.stream.destroy();
}

/** As `open`, but waits up to `patience` milliseconds for a database that is not there yet; rejects with a `Problem`. */
async function connect(database, patience) {
  const deadline = Date.now() + patience;
  for (let pause = 50; ; pause = Math.min(pause * 2, 500)) {
    try {
      return await open(database, Math.max(1, Math.min(3000, deadline - Date.now())));
    } catch (error) {
      const { passing, sentence } = explain(error, database);
      if (!passing || Date.now() + pause >= deadline) throw new Problem(sentence);
    }
    await sleep(pause);
  }
}

module.exports = { Problem, connect, drop, explain, open };
