// The image's entry point: `start` serves the store's API and admin, `prepare` prepares its database.
"use strict";

const fs = require("node:fs");

// Medusa finds its files relative to the working directory.
process.chdir(__dirname);
process.env.MEDUSA_DISABLE_TELEMETRY = "true";

const commands = {
  start: () => require("./lib/start").start(),
  prepare: async () => {
    console.log(`prepare: ${await require("./lib/prepare").prepare()}`);
    process.exit(0);
  },
};

const [word = "start", ...rest] = process.argv.slice(2);
if (!Object.hasOwn(commands, word) || rest.length > 0) {
  console.error("usage: entrypoint.js [start | prepare]");
  process.exit(2);
}
commands[word]().catch(fail);

/** Prints one sentence for the shop's owner, also to the termination log; prints the stack only of unexpected errors. */
function fail(error) {
  const sentence = error.message.split("\n")[0];
  try {
    fs.writeFileSync("/dev/termination-log", sentence, { flag: "r+" });
  } catch {
    // The file exists only under Kubernetes.
  }
  if (!(error instanceof require("./lib/database").Problem)) console.log(error.stack);
  console.error(sentence);
  process.exit(1);
}
