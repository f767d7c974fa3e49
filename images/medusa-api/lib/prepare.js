// Prepares the database for this image: schema, sample products, the storefront's key, the first administrator. Idempotent;
// may run several times at once.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const scrypt = require("scrypt-kdf");
const { ulid } = require("ulid");
const { Problem, connect, drop, explain } = require("./database");
const { backend, database } = require("./settings");

const ROOT = path.join(__dirname, "..");
const SNAPSHOT = path.join(ROOT, "snapshot.sql");
const VERSION = path.join(ROOT, "version");
/** The snapshot's placeholder for a store's address; domains in `.invalid` never exist. */
const PLACEHOLDER = "http://store.invalid";
/** The id of our advisory lock. */
const LOCK = 7811035;
/** How many seconds to wait for a database that is starting. Short, so that a missing database is reported within 20 s. */
const PATIENCE = 15;

/** Resolves to a summary of what was done; rejects with a `Problem`. */
async function prepare(env = process.env) {
  const wanted = wishes(env);
  const target = wanted.database;
  const client = await connect(target, wanted.patience);
  try {
    if (await isPrepared(client, wanted)) return "nothing to do";
    await client.query("BEGIN");
    // Without keepalive, the server would hold the lock for two hours if the pod's node died.
    await client.query(
      `SET LOCAL search_path = public; SET LOCAL lock_timeout = '5min'; SET LOCAL statement_timeout = 0;
       SET LOCAL idle_in_transaction_session_timeout = 0;
       SET LOCAL tcp_keepalives_idle = 10; SET LOCAL tcp_keepalives_interval = 5; SET LOCAL tcp_keepalives_count = 3`,
    );
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    const done = await bringUpToDate(client, wanted, env);
    await client.query("COMMIT");
    return done;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(explain(error, target).sentence);
  } finally {
    drop(client);
  }
}

/** Reads the settings from the environment. */
function wishes(env) {
  for (const name of ["STORE_NAME", "MEDUSA_PUBLISHABLE_KEY", "STORE_ADMIN_EMAIL", "STORE_ADMIN_PASSWORD", "MEDUSA_BACKEND_URL"]) {
    if (!env[name]) throw new Problem(`${name} is not set`);
  }
  if (!/^pk_[0-9a-f]{64}$/.test(env.MEDUSA_PUBLISHABLE_KEY)) throw new Problem("MEDUSA_PUBLISHABLE_KEY is not pk_ and 64 hexadecimal digits");
  const patience = Number(env.DATABASE_PATIENCE_SECONDS || PATIENCE) * 1000;
  if (!(patience > 0)) throw new Problem("DATABASE_PATIENCE_SECONDS must be a number of seconds");
  let target;
  try {
    target = database(env);
  } catch (error) {
    throw new Problem(error.message);
  }
  return {
    database: target,
    patience,
    version: fs.readFileSync(VERSION, "utf8").trim(),
    storeName: env.STORE_NAME,
    key: env.MEDUSA_PUBLISHABLE_KEY,
    email: env.STORE_ADMIN_EMAIL,
    password: env.STORE_ADMIN_PASSWORD,
    backend: backend(env),
  };
}

/** Whether nothing is left to do. Takes two round trips. */
async function isPrepared(client, { version, backend, email, key }) {
  const [{ ours }] = (await client.query("SELECT to_regclass('public.urumi_prepared') IS NOT NULL AS ours")).rows;
  if (!ours) return false;
  const [{ prepared }] = (
    await client.query(
      `SELECT (SELECT count(*) = 3 FROM public.urumi_prepared
                WHERE (item, value) IN (('version', $1), ('backend', $2), ('admin', $3)))
          AND EXISTS (SELECT FROM public.api_key k JOIN public.publishable_api_key_sales_channel l ON l.publishable_key_id = k.id
                       WHERE k.token = $4 AND k.type = 'publishable' AND k.deleted_at IS NULL AND l.deleted_at IS NULL
                         AND (k.revoked_at IS NULL OR k.revoked_at > now())) AS prepared`,
      [version, backend, email, key],
    )
  ).rows;
  return prepared;
}

/** Decides, while holding the lock, whether the database is empty, older or current, and updates it. */
async function bringUpToDate(client, wanted, env) {
  // Another pod may have done it while this one waited for the lock.
  if (await isPrepared(client, wanted)) return "nothing to do";
  let done = "checked the key and the admin";
  if (await isEmpty(client)) {
    await restore(client, wanted);
    done = "restored the snapshot";
  } else {
    await client.query(
      "CREATE TABLE IF NOT EXISTS urumi_prepared (item text PRIMARY KEY, value text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
    );
    if ((await recorded(client, "version")) !== wanted.version) {
      await migrate(client, wanted, env);
      done = "migrated";
    }
  }
  await record(client, "version", wanted.version);
  await movePictures(client, wanted.backend);
  await ensureKey(client, wanted.key);
  await ensureAdmin(client, wanted);
  return done;
}

/** Ignores tables of extensions, which managed databases contain from the beginning. */
async function isEmpty(client) {
  const { rows } = await client.query(
    `SELECT NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS empty`,
  );
  return rows[0].empty;
}

/** Restores the dump of a database that the image's build has migrated and seeded; seconds faster than migrating. */
async function restore(client, { storeName }) {
  // What the dump's SETs do, but for this transaction only. Names in the dump are qualified.
  await client.query("SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off; SET LOCAL client_min_messages = warning");
  await client.query(fs.readFileSync(SNAPSHOT, "utf8"));
  await client.query("SET LOCAL search_path = public");
  await client.query("UPDATE store SET name = $1, created_at = now(), updated_at = now()", [storeName]);
}

/** Runs Medusa's migrations on their own connections; ours only holds the lock. */
async function migrate(client, wanted, env) {
  await medusa(env, "db:migrate", "--execute-safe-links", "--execute-safe-search", "--skip-scripts");
  // Run separately, because db:migrate does not report scripts that fail.
  await medusa(env, "db:migrate:scripts");
  // Only once: products that are missing later were deleted by the owner.
  if (await recorded(client, "seeded")) return;
  await child(env, "the sample products could not be stored", [path.join(ROOT, "seed", "run.js")]);
  await record(client, "backend", wanted.backend);
  await record(client, "seeded", "true");
}

function medusa(env, ...args) {
  return child(env, "a database migration failed", [require.resolve("@medusajs/cli/cli.js"), ...args]);
}

/** Runs a Node script; forwards its output, and rejects with a `Problem` of the error that it logs. */
function child(env, failure, args) {
  return new Promise((resolve, reject) => {
    const script = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [script.stdout, script.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        process.stdout.write(text);
        output = (output + text).slice(-64 * 1024);
      });
    }
    script.on("error", (error) => reject(new Problem(`${failure}: ${error.message}`)));
    script.on("close", (code, signal) => {
      if (code === 0) return resolve();
      const cause = reason(output) || (signal ? `it was terminated by ${signal}` : `it exited with ${code}`);
      reject(new Problem(`${failure}: ${hide(cause, env)}`));
    });
  });
}

/** The last error in Medusa's log (JSON lines mixed with plain stack traces). */
function reason(output) {
  const errors = output.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return /^\s*(?:\w*Error|error): ?(.*)/.exec(line)?.slice(1) ?? [];
    try {
      const { level, message } = JSON.parse(line);
      return level === "error" && typeof message === "string" && message.trim() ? [message] : [];
    } catch {
      return [];
    }
  });
  return errors.at(-1)?.trim().split("\n")[0].slice(0, 300);
}

/** `text` without the secrets of the environment. */
function hide(text, env) {
  const secrets = [env.DATABASE_URL, new URL(env.DATABASE_URL).password, env.REDIS_URL, env.JWT_SECRET, env.COOKIE_SECRET, env.STORE_ADMIN_PASSWORD, env.STRIPE_API_KEY];
  return secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
}

/** Updates the absolute URLs of pictures when the store's address has changed. */
async function movePictures(client, to) {
  const from = (await recorded(client, "backend")) ?? PLACEHOLDER;
  if (from !== to) {
    const [prefix, old] = [`${to}/static/`, `${from}/static/`];
    for (const [table, column] of [["image", "url"], ["product", "thumbnail"], ["product_variant", "thumbnail"]]) {
      await client.query(`UPDATE ${table} SET ${column} = $1 || substr(${column}, length($2) + 1) WHERE starts_with(${column}, $2)`, [prefix, old]);
    }
  }
  await record(client, "backend", to);
}

/** Makes this token valid for the store's sales channel, even if it was deleted or revoked: the storefront has no other. */
async function ensureKey(client, token) {
  const { rows } = await client.query(
    `INSERT INTO api_key (id, token, salt, redacted, title, type, created_by)
     VALUES ($1, $2, '', left($2, 6) || '***' || right($2, 3), 'Storefront', 'publishable', '')
     ON CONFLICT (token) DO UPDATE SET revoked_at = NULL, revoked_by = NULL, deleted_at = NULL, updated_at = now()
     RETURNING id`,
    [`apk_${ulid()}`, token],
  );
  await client.query(
    `INSERT INTO publishable_api_key_sales_channel (id, publishable_key_id, sales_channel_id)
     SELECT $1, $2, default_sales_channel_id FROM store WHERE default_sales_channel_id IS NOT NULL LIMIT 1
     ON CONFLICT (publishable_key_id, sales_channel_id) DO UPDATE SET deleted_at = NULL`,
    [`pksc_${ulid()}`, rows[0].id],
  );
}

/** Creates the first administrator, as `medusa user` does; only once, so that one that was removed or renamed stays so. */
async function ensureAdmin(client, { email, password }) {
  if ((await recorded(client, "admin")) === email) return;
  if (!(await isAdmin(client, email))) await makeAdmin(client, email, password);
  await record(client, "admin", email);
}

/** Whether the sign-in of this address leads to an administrator already, whose password then stays. */
async function isAdmin(client, email) {
  const { rowCount } = await client.query(
    `SELECT FROM provider_identity p
       JOIN auth_identity a ON a.id = p.auth_identity_id AND a.deleted_at IS NULL
       JOIN "user" u ON u.id = a.app_metadata->>'user_id' AND u.deleted_at IS NULL
      WHERE p.entity_id = $1 AND p.provider = 'emailpass' AND p.deleted_at IS NULL`,
    [email],
  );
  return rowCount > 0;
}

async function makeAdmin(client, email, password) {
  const users = (await client.query(`SELECT id FROM "user" WHERE email = $1 AND deleted_at IS NULL`, [email])).rows;
  let id = users[0]?.id;
  if (!id) {
    id = `user_${ulid()}`;
    await client.query(`INSERT INTO "user" (id, email) VALUES ($1, $2)`, [id, email]);
  }
  // Anybody can register any address as a customer. Another password alone would not keep them out: a token of that
  // identity can be exchanged for one with all that the identity has by then. So the administrator gets a new identity.
  await client.query("DELETE FROM provider_identity WHERE entity_id = $1 AND provider = 'emailpass'", [email]);
  const identity = `authid_${ulid()}`;
  // The parameters of Medusa's emailpass provider, which stores them in the hash.
  const hash = await scrypt.kdf(password, { logN: 15, r: 8, p: 1 });
  await client.query("INSERT INTO auth_identity (id, app_metadata) VALUES ($1, $2)", [identity, { user_id: id }]);
  await client.query(
    `INSERT INTO provider_identity (id, entity_id, provider, auth_identity_id, provider_metadata) VALUES ($1, $2, 'emailpass', $3, $4)`,
    [ulid(), email, identity, { password: hash.toString("base64") }],
  );
}

async function recorded(client, item) {
  return (await client.query("SELECT value FROM urumi_prepared WHERE item = $1", [item])).rows[0]?.value;
}

async function record(client, item, value) {
  await client.query(
    `INSERT INTO urumi_prepared (item, value) VALUES ($1, $2)
     ON CONFLICT (item) DO UPDATE SET value = excluded.value, at = now() WHERE urumi_prepared.value <> excluded.value`,
    [item, value],
  );
}

module.exports = { PLACEHOLDER, prepare };
