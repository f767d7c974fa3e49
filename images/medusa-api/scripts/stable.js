// Makes a dump that depends on the sources only, so that two builds are equal: reads a dump with --inserts on stdin, writes it to
// stdout with constant times, identifiers numbered in the order of their appearance, and sorted rows where Medusa inserts them
// concurrently.
"use strict";

const TIME = /'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?'/g;
const CONSTANT_TIME = "2026-01-01 00:00:00";
/** A ULID, alone or after a prefix such as `prod_`. */
const IDENTIFIER = /(?<![0-9A-Za-z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Za-z])/g;
/** The first characters of a ULID are its time: this is the constant time's. */
const IDENTIFIER_TIME = "01KDVDNA00";
const CONCURRENT = ["inventory_level"];

function stable(dump) {
  const numbers = new Map();
  const numbered = (text) =>
    text.replace(IDENTIFIER, (identifier) => {
      if (!numbers.has(identifier)) numbers.set(identifier, IDENTIFIER_TIME + String(numbers.size + 1).padStart(16, "0"));
      return numbers.get(identifier);
    });
  /** The row without the identifiers that have no number yet. */
  const comparable = (row) => row.replace(IDENTIFIER, (identifier) => numbers.get(identifier) ?? "");

  return dump
    .replace(TIME, (_, fraction, zone) => `'${CONSTANT_TIME}${zone ?? ""}'`)
    .split(/(?<=;\n)/)
    .map((statement) => {
      const [, head, rows] = /^(INSERT INTO public\.\w+ VALUES\n)(.*);\n$/s.exec(statement) ?? [];
      if (!head || !CONCURRENT.some((table) => head.includes(`.${table} `))) return numbered(statement);
      const sorted = rows.split(",\n").sort((a, b) => comparable(a).localeCompare(comparable(b), "en"));
      return numbered(`${head}${sorted.join(",\n")};\n`);
    })
    .join("");
}

module.exports = { stable };
if (require.main === module) {
  require("node:stream/consumers").text(process.stdin).then((dump) => process.stdout.write(stable(dump)));
}
