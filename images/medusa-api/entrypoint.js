// The image's entry: `start` serves the store's API and admin, `prepare` makes its database ready.
"use strict";

const fs = require("node:fs");

// Medusa looks for its files here.
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

/** One sentence for the shop's owner, also where Kubernetes shows it; the stack only for errors that nobody foresaw. */
function fail(error) {
  const sentence = error.message.split("\n")[0];
  try {
    fs.writeFileSync("/dev/termination-log", sentence, { flag: "r+" });
  } catch {
    // Outside Kubernetes there is no such file.
  }
  if (!(error instanceof require("./lib/database").Problem)) console.log(error.stack);
  console.error(sentence);
  process.exit(1);
}
