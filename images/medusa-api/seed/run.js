// Seeds the database of the environment. `prepare` and the image's build run this script.
"use strict";

const path = require("node:path");

async function main() {
  const load = require("@medusajs/medusa/loaders/index").default;
  const { backend } = require("../lib/settings");
  const { seed } = require("./seed");
  process.env.MEDUSA_WORKER_MODE = "server";
  const { container } = await load({ directory: path.join(__dirname, ".."), skipLoadingEntryPoints: true });
  await seed(container, { storeName: process.env.STORE_NAME || "Store", base: backend() });
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
