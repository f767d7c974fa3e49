// Makes the database ready for this image: schema, first goods, the storefront's key, the first admin. Safe to repeat and to run many times at once.
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
/** Stands in the snapshot where a store's own address belongs; `.invalid` can never be somebody's. */
const PLACEHOLDER = "http://store.invalid";
/** Ours among the database's advisory locks. */
const LOCK = 7811035;
/** How many seconds a database may be away: it restarts, or we were quicker; short enough to say within 20 s that it is not there. */
const PATIENCE = 15;

/** Resolves to what was done, in a few words; rejects with a `Problem`. */
async function prepare(env = process.env) {
  const wanted = wishes(env);
  const target = wanted.database;
  const client = await connect(target, wanted.patience);
  try {
    if (await isPrepared(client, wanted)) return "nothing to do";
    await client.query("BEGIN");
    // Without keepalive the server would hold the lock of a pod whose node died for two hours.
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

/** What the environment asks for. */
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

/** Whether nothing is left to do; costs two round trips. */
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

/** Under the lock: the one place that decides between a fresh database, an older one and a current one. */
async function bringUpToDate(client, wanted, env) {
  // Another pod may have done it while this one waited.
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

/** Tables of extensions, which managed databases bring along, don't count. */
async function isEmpty(client) {
  const { rows } = await client.query(
    `SELECT NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS empty`,
  );
  return rows[0].empty;
}

/** Seconds faster than migrating: the image's build has migrated and seeded a database already, and this is its dump. */
async function restore(client, { storeName }) {
  // What pg_dump asks for by SET, but for this transaction only: names in the dump are complete.
  await client.query("SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off; SET LOCAL client_min_messages = warning");
  await client.query(fs.readFileSync(SNAPSHOT, "utf8"));
  await client.query("SET LOCAL search_path = public");
  await client.query("UPDATE store SET name = $1, created_at = now(), updated_at = now()", [storeName]);
}

/** Medusa's own migrations, on connections of their own, while ours holds nothing but the lock. */
async function migrate(client, wanted, env) {
  await medusa(env, "db:migrate", "--execute-safe-links", "--execute-safe-search", "--skip-scripts");
  // A command of its own, because db:migrate says nothing of a script that failed.
  await medusa(env, "db:migrate:scripts");
  // Only once: later, goods that are missing are those that the owner deleted.
  if (await recorded(client, "seeded")) return;
  await child(env, "the first goods could not be stored", [path.join(ROOT, "seed", "run.js")]);
  await record(client, "backend", wanted.backend);
  await record(client, "seeded", "true");
}

function medusa(env, ...args) {
  return child(env, "a database migration failed", [require.resolve("@medusajs/cli/cli.js"), ...args]);
}

/** Runs a script of Node's; its output is ours, and the first error that it logs becomes the `Problem`. */
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
      const cause = reason(output) || (signal ? `it was ended by ${signal}` : `it ended with ${code}`);
      reject(new Problem(`${failure}: ${hide(cause, env)}`));
    });
  });
}

/** The last error in a log of Medusa's (JSON lines, with plain stack traces between them). */
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

/** `text` without anything of the environment that nobody may read. */
function hide(text, env) {
  const secrets = [env.DATABASE_URL, new URL(env.DATABASE_URL).password, env.REDIS_URL, env.JWT_SECRET, env.COOKIE_SECRET, env.STORE_ADMIN_PASSWORD, env.STRIPE_API_KEY];
  return secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
}

/** Pictures carry absolute URLs: they follow the store when its address changes. */
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

/** Exactly this token opens the store's sales channel, even if somebody deleted or revoked it: the storefront has no other. */
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

/** The first admin, as `medusa user` makes it; never again once made, so that a removed or renamed one stays so. */
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
  // The parameters are those of Medusa's emailpass provider, which puts them into the hash itself.
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
