// Connections to the store's database, with error messages for shop owners.
"use strict";

const { setTimeout: sleep } = require("node:timers/promises");
const { Client } = require("pg");

/** An error whose message is one sentence without secrets. */
class Problem extends Error {}

/** Connection errors that may pass: the database is starting, moving, or does not exist yet. */
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

/** The same for the server's errors, by SQLSTATE. */
const BUSY = {
  "53300": "it has no connection left",
  "57P01": "it is shutting down",
  "57P02": "it is recovering from a crash",
  "57P03": "it is starting or shutting down",
};

/** Explains `error` to the user of `database`: a sentence, and whether waiting may help. */
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
  // These errors of the driver have no code.
  if (/timeout/i.test(error.message)) return { passing: true, sentence: `the database at ${host} cannot be reached: no answer` };
  if (/terminated/i.test(error.message)) return { passing: true, sentence: `the database at ${host} cannot be reached: the connection was closed` };
  if (/does not support SSL/i.test(error.message)) return failed(`the database at ${host} does not offer TLS, which DATABASE_SSL requires`);
  return failed(`the database at ${host} cannot be used: ${error.message}`);
}

/** Opens a connection, or rejects with the driver's error within `timeout` milliseconds. The caller closes it. */
async function open(database, timeout) {
  const client = new Client({
    connectionString: database.url,
    ssl: database.ssl,
    connectionTimeoutMillis: timeout,
    application_name: "urumi",
  });
  // Without a listener, the loss of an idle connection would end the process. The next query reports the error.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    drop(client);
    throw error;
  }
}

/** Closes a connection at once, even if the server does not answer. */
function drop(client) {
  client.connection.stream.destroy();
}

/** Like `open`, but waits up to `patience` milliseconds until the database can be reached; rejects with a `Problem`. */
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
