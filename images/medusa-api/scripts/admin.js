// Builds the admin's pages into public/admin. Skips Medusa's compilation, which a plain JavaScript app does not need.
"use strict";

const path = require("node:path");
const { build } = require("@medusajs/admin-bundler");
const { getResolvedPlugins } = require("@medusajs/framework/utils");

async function main() {
  // The build needs a valid configuration, but the pages must contain no store's values.
  process.env.DATABASE_URL ||= "postgres://nowhere";
  delete process.env.MEDUSA_BACKEND_URL;
  const root = path.join(__dirname, "..");
  process.chdir(root);
  const config = require("../medusa-config");
  const plugins = await getResolvedPlugins(root, config, true);
  const of = (type) => plugins.filter((plugin) => plugin.admin?.type === type).map((plugin) => plugin.admin.resolve);
  await build({ ...config.admin, disable: false, sources: of("local"), plugins: of("package"), outDir: "public/admin" });
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
