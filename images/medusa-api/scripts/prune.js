// Removes from the app's folder what `start` and `prepare` never load. Fails if a listed package is not installed.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
const modules = path.join(root, "node_modules");

/**
 * Dependencies that a package declares but this app never loads, with the reason. Packages that are needed only by these
 * are removed too. `"*"` means all.
 */
const CUT = {
  // The app uses only the function that serves the built pages: no Vite, Tailwind, React, Babel or dashboard.
  "@medusajs/admin-bundler": ["@medusajs/admin-vite-plugin", "@medusajs/dashboard", "@vitejs/plugin-react", "autoprefixer", "get-port", "glob", "postcss", "tailwindcss", "vite"],
  // Its pages are part of the built admin; its server side uses only the framework.
  "@medusajs/draft-order": "*",
  // Providers that the configuration does not use.
  "@medusajs/medusa": [
    "@medusajs/analytics",
    "@medusajs/analytics-local",
    "@medusajs/analytics-posthog",
    "@medusajs/auth-github",
    "@medusajs/auth-google",
    "@medusajs/auth-oidc",
    "@medusajs/cache-redis",
    "@medusajs/file-s3",
    "@medusajs/locking-postgres",
    "@medusajs/notification-sendgrid",
    "posthog-node",
    "react-dom",
  ],
  // Types of the bundler's options.
  "@medusajs/types": ["vite"],
  // Sessions are in memory or in Redis.
  "@medusajs/framework": ["@aws-sdk/client-dynamodb", "connect-dynamodb", "@jercle/yargonaut"],
  // Traces are not exported (the API package, which Medusa loads, does nothing without the SDK). mikro-orm's command line
  // is interactive; it depends on a font for its banner.
  "@medusajs/deps": ["@opentelemetry/sdk-node", "@opentelemetry/resources", "@opentelemetry/sdk-trace-node", "@opentelemetry/instrumentation-pg", "@mikro-orm/cli"],
};

/** Parts of packages that exist twice or are not needed here, as paths in node_modules. */
const PARTS = [
  "rxjs/src",
  "rxjs/dist/bundles",
  "rxjs/dist/esm",
  "rxjs/dist/esm5",
  "stripe/esm",
  "zod/src",
  "luxon/src",
  "luxon/build/amd",
  "luxon/build/es6",
  "luxon/build/global",
  "ajv/lib",
];

/** Files that no program loads. Licences are kept. */
const FILES = /(\.d\.[cm]?ts|\.[cm]?tsx?|\.map|\.tsbuildinfo|\.flow|\.markdown|\.md|\.coffee|\.snap)$/i;
const FOLDERS = new Set(["__tests__", "__mocks__", "__fixtures__", ".github", "test", "tests", "docs", "example", "examples", "benchmark", "benchmarks"]);
/** Folders with such names that contain code. */
const CODE = [/^@medusajs\//, /^knex\//];

/** The folder that `require(name)` in `folder` finds; null if an optional dependency is not installed. */
function resolve(name, folder) {
  for (let at = folder; at.startsWith(root); at = path.dirname(at)) {
    const found = path.join(at, "node_modules", name);
    if (fs.existsSync(path.join(found, "package.json"))) return found;
  }
  return null;
}

const manifest = (folder) => JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));

/** The folders of all direct and indirect dependencies. */
function needed() {
  const found = new Set();
  const unknown = new Set(Object.entries(CUT).flatMap(([name, cut]) => [name, ...(cut === "*" ? [] : cut.map((one) => `${name} → ${one}`))]));
  const visit = (folder) => {
    if (found.has(folder)) return;
    if (folder !== root) found.add(folder);
    const { name, dependencies, optionalDependencies, peerDependencies } = manifest(folder);
    unknown.delete(name);
    for (const one of Object.keys({ ...peerDependencies, ...optionalDependencies, ...dependencies })) {
      unknown.delete(`${name} → ${one}`);
      // Types only.
      if (one.startsWith("@types/") || CUT[name] === "*" || CUT[name]?.includes(one)) continue;
      const next = resolve(one, folder);
      if (next) visit(next);
    }
  };
  visit(root);
  // A list that does not match the packages would silently prune too little, or the wrong files, after an update.
  if (unknown.size > 0) throw new Error(`prune.js cuts what is not there: ${[...unknown].join(", ")}`);
  return found;
}

function removePackages(kept, folder) {
  for (const entry of fs.readdirSync(folder)) {
    const here = path.join(folder, entry);
    if (entry.startsWith(".")) fs.rmSync(here, { recursive: true });
    else if (entry.startsWith("@")) {
      removePackages(kept, here);
      if (fs.readdirSync(here).length === 0) fs.rmdirSync(here);
    } else if (kept.has(here)) {
      const nested = path.join(here, "node_modules");
      if (fs.existsSync(nested)) removePackages(kept, nested);
    } else fs.rmSync(here, { recursive: true });
  }
}

function removeFiles(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const here = path.join(folder, entry.name);
    const name = path.relative(modules, here);
    if (entry.isDirectory()) {
      if (FOLDERS.has(entry.name) && !CODE.some((code) => code.test(name))) fs.rmSync(here, { recursive: true });
      else removeFiles(here);
    } else if (FILES.test(entry.name) && !/^(licen[cs]e|notice|copying)/i.test(entry.name)) fs.rmSync(here);
  }
}

function size(folder) {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += fs.statSync(path.join(entry.parentPath, entry.name)).size;
  }
  return `${Math.round(bytes / 1e6)} MB`;
}

const before = size(modules);
removePackages(needed(), modules);
const packages = size(modules);
for (const part of PARTS) {
  if (!fs.existsSync(path.join(modules, part))) throw new Error(`prune.js: there is no node_modules/${part}`);
  fs.rmSync(path.join(modules, part), { recursive: true });
}
removeFiles(modules);
fs.rmSync(path.join(root, ".medusa"), { recursive: true, force: true });
console.log(`prune: node_modules ${before} → ${packages} (packages) → ${size(modules)} (files)`);
