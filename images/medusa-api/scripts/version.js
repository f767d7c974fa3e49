// Writes the file `version`: a hash of everything that determines the content of a prepared database.
"use strict";

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..");
// Without the snapshot: its identifiers differ between builds, and a rebuilt image must not cause migrations.
const sources = ["package-lock.json", "medusa-config.js", "seed/catalogue.js", "seed/seed.js", "scripts/snapshot"];
const hash = createHash("sha256");
for (const name of sources) hash.update(`${name}\0`).update(fs.readFileSync(path.join(root, name)));
fs.writeFileSync(path.join(root, "version"), `${hash.digest("hex")}\n`);
