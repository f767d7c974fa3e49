// Tests the built app as a cluster runs it: with a real PostgreSQL, as a user that can write only to /tmp.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

const { APP, PGHOST, PGPORT, PGPASSWORD, POSTGRES_BIN, POSTGRES_FOLDER } = process.env;
const { Client } = createRequire(path.join(APP, "entrypoint.js"))("pg");
const root = process.getuid() === 0;

/** Folders of the app and of Node that the image's user can read but not write. */
let folder, app, node, home;
const running = new Set();

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "medusa-api-test."));
  fs.chmodSync(folder, 0o755);
  app = path.join(folder, "app");
  node = path.join(folder, "node");
  home = path.join(folder, "home");
  execFileSync("cp", ["-R", APP, app]);
  fs.copyFileSync(process.execPath, node);
  fs.mkdirSync(home);
  if (root) fs.chownSync(home, 1000, 1000);
  else execFileSync("chmod", ["-R", "a-w", app]);
});

after(() => {
  for (const child of running) child.kill("SIGKILL");
  execFileSync("chmod", ["-R", "u+w", folder]);
  fs.rmSync(folder, { recursive: true });
});

const key = `pk_${"ab".repeat(32)}`;
const email = "owner@example.com";
const password = "correct horse battery";

function environment(database, more = {}) {
  const api = "http://api-1.localhost";
  const shop = "http://store-1.localhost";
  return {
    PATH: process.env.PATH,
    HOME: home,
    TMPDIR: home,
    NODE_ENV: "production",
    // Three quarters of a container's usual limit of 1 GiB.
    NODE_OPTIONS: "--max-old-space-size=768",
    DATABASE_URL: `postgres://medusa:medusa@${PGHOST}:${PGPORT}/${database}`,
    JWT_SECRET: "a secret of the test",
    COOKIE_SECRET: "another secret of the test",
    SMOKE_TOKEN: "a token of the test",
    STORE_CORS: shop,
    ADMIN_CORS: api,
    AUTH_CORS: `${shop},${api}`,
    MEDUSA_BACKEND_URL: api,
    STOREFRONT_URL: shop,
    MEDUSA_WORKER_MODE: "shared",
    STORE_NAME: "Anna's Shop",
    MEDUSA_PUBLISHABLE_KEY: key,
    STORE_ADMIN_EMAIL: email,
    STORE_ADMIN_PASSWORD: password,
    ...more,
  };
}

function launch(args, env, cwd = "/") {
  const child = spawn(node, ["--max-semi-space-size=8", ...args], { cwd, env, ...(root && { uid: 1000, gid: 1000 }) });
  running.add(child);
  const state = { child, stdout: "", stderr: "", started: performance.now() };
  child.stdout.on("data", (text) => (state.stdout += text));
  child.stderr.on("data", (text) => (state.stderr += text));
  state.ended = new Promise((resolve) =>
    child.on("close", (code, signal) => {
      running.delete(child);
      resolve({ ...state, code, signal, seconds: (performance.now() - state.started) / 1000 });
    }),
  );
  return state;
}

const run = (word, env) => launch([path.join(app, "entrypoint.js"), ...(word ? [word] : [])], env).ended;

async function prepared(env) {
  const result = await run("prepare", env);
  assert.equal(result.code, 0, result.stdout.slice(-2000) + result.stderr);
  return result;
}

async function sql(database, text, values, user = "medusa", secret = "medusa") {
  const client = new Client({ host: PGHOST, port: PGPORT, user, password: secret, database });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
const superuser = (text, database = "postgres") => sql(database, text, [], "postgres", PGPASSWORD);

/** A certificate for the server's address, in a new folder, and the authority that signed it. */
function authority(folder) {
  fs.mkdirSync(folder);
  const openssl = (...args) =>
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", ...args], { cwd: folder, stdio: "pipe" });
  openssl("-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority");
  const extensions = ["-addext", `subjectAltName=IP:${PGHOST}`, "-addext", "basicConstraints=critical,CA:FALSE"];
  openssl("-CA", "ca.crt", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=server", ...extensions);
  return fs.readFileSync(path.join(folder, "ca.crt"), "utf8");
}

/** A new database whose owner is not a superuser. */
async function fresh() {
  const name = `store_${randomBytes(6).toString("hex")}`;
  await superuser(`CREATE DATABASE ${name} OWNER medusa`);
  return name;
}

/** Polls until `condition` returns a truthy value; fails after `seconds`. */
async function until(what, condition, seconds = 120) {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(performance.now() < deadline, `${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A running server: `call` sends requests, `stop` ends it. */
async function serve(database, more = {}) {
  const port = await freePort();
  const server = launch([path.join(app, "entrypoint.js")], environment(database, { PORT: String(port), HOST: "127.0.0.1", ...more }));
  const call = async (target, { method, body, headers, publishable = key } = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${target}`, {
      method: method ?? (body ? "POST" : "GET"),
      headers: { ...(publishable && { "x-publishable-api-key": publishable }), ...(body && { "content-type": "application/json" }), ...headers },
      body: typeof body === "string" ? body : body && JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  };
  const readiness = () => call("/health/ready").catch(() => undefined);
  const ready = () =>
    until("ready", async () => {
      assert.equal(server.child.exitCode, null, server.stdout + server.stderr);
      return (await readiness())?.status === 200;
    });
  const stop = async () => {
    const asked = performance.now();
    server.child.kill("SIGTERM");
    const { code } = await server.ended;
    return { code, seconds: (performance.now() - asked) / 1000 };
  };
  const memory = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${server.child.pid}/status`, "utf8"))[1]) / 1024);
  return { call, readiness, ready, stop, memory, server };
}

function control(...args) {
  const as = root ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"] : [];
  const [command, ...rest] = [...as, path.join(POSTGRES_BIN, "pg_ctl"), "--pgdata", path.join(POSTGRES_FOLDER, "data"), "--log", path.join(POSTGRES_FOLDER, "log"), "--wait", ...args];
  execFileSync(command, rest, { stdio: "ignore" });
}

/** The server's process and its children. */
function postgres() {
  const first = fs.readFileSync(path.join(POSTGRES_FOLDER, "data", "postmaster.pid"), "utf8").split("\n")[0];
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", first], { encoding: "utf8" }).split(/\s+/).filter(Boolean);
  return [first, ...children].map(Number);
}

/**
 * The schema of a database from `pg_dump`, without what differs between runs: a random default of one of Medusa's
 * migrations, and the casts and brackets that a dump adds to expressions.
 */
function schema(database) {
  const text = execFileSync(path.join(POSTGRES_BIN, "pg_dump"), ["--schema-only", "--no-owner", "--dbname", `postgres://medusa:medusa@${PGHOST}:${PGPORT}/${database}`], { encoding: "utf8", maxBuffer: 64e6 });
  const plain = (line) => line.replace(/(run_id text DEFAULT )'\w+'/, "$1''").replace(/::(character varying|text)(\[\])?|[()]/g, "");
  return text.split("\n").filter((line) => !line.startsWith("\\")).map(plain);
}

const facts = (database) =>
  sql(
    database,
    `SELECT (SELECT count(*)::int FROM product WHERE deleted_at IS NULL) AS products, (SELECT count(*)::int FROM "user") AS admins,
            (SELECT count(*)::int FROM provider_identity) AS "signIns", (SELECT count(*)::int FROM region) AS regions,
            (SELECT count(*)::int FROM api_key WHERE token = $1) AS keys, (SELECT name FROM store) AS name,
            (SELECT count(*)::int FROM image WHERE url LIKE 'http://api-1.localhost/static/products/%.svg') AS pictures`,
    [key],
  ).then(([row]) => row);
const complete = { products: 8, admins: 1, signIns: 1, regions: 2, keys: 1, name: "Anna's Shop", pictures: 8 };

test("an unknown word is refused with the usage", async () => {
  const { code, stderr } = await run("serve", environment("none"));
  assert.equal(code, 2);
  assert.equal(stderr, "usage: entrypoint.js [start | prepare]\n");
});

test("a setting that is missing is named", async () => {
  const { code, stderr } = await run("prepare", environment("none", { STORE_ADMIN_EMAIL: "" }));
  assert.equal(code, 1);
  assert.equal(stderr, "STORE_ADMIN_EMAIL is not set\n");
});

test("prepare fills an empty database, and then has nothing to do", async (t) => {
  const database = await fresh();
  const first = await prepared(environment(database));
  assert.match(first.stdout, /restored the snapshot/);
  assert.deepEqual(await facts(database), complete);
  const again = await prepared(environment(database));
  assert.match(again.stdout, /nothing to do/);
  t.diagnostic(`first ${first.seconds.toFixed(2)} s, again ${again.seconds.toFixed(2)} s`);
  const [{ sold }] = await sql(
    database,
    `SELECT count(*)::int AS sold FROM inventory_level l JOIN inventory_item i ON i.id = l.inventory_item_id WHERE l.stocked_quantity = 0`,
  );
  assert.equal(sold, 1, "one product is sold out");
  const keys = await sql(database, "SELECT token FROM api_key");
  assert.deepEqual(keys, [{ token: key }], "no key is shared with other stores");
});

test("prepare in three pods at once does it once", async () => {
  const database = await fresh();
  const results = await Promise.all([1, 2, 3].map(() => prepared(environment(database))));
  assert.equal(results.filter(({ stdout }) => /restored/.test(stdout)).length, 1);
  assert.deepEqual(await facts(database), complete);
});

test("prepare leaves nothing half-made when it is killed", async () => {
  const database = await fresh();
  const { child, ended } = launch([path.join(app, "entrypoint.js"), "prepare"], environment(database));
  // As soon as its transaction holds locks on the tables that it created.
  await until("restoring", async () => (await superuser("SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock'"))[0].n > 20);
  child.kill("SIGKILL");
  assert.equal((await ended).signal, "SIGKILL");
  await prepared(environment(database));
  assert.deepEqual(await facts(database), complete);
});

test("a revoked key is valid again, a new address moves the pictures, a password stays", async () => {
  const database = await fresh();
  await prepared(environment(database));
  const hash = "SELECT provider_metadata->>'password' AS hash FROM provider_identity";
  const [{ hash: old }] = await sql(database, hash);
  await sql(database, "UPDATE api_key SET revoked_at = now()");
  await prepared(environment(database, { MEDUSA_BACKEND_URL: "https://api.shop.example/", STORE_ADMIN_PASSWORD: "another" }));
  const [row] = await sql(
    database,
    `SELECT (SELECT revoked_at FROM api_key) AS revoked, (SELECT count(*)::int FROM image WHERE url LIKE 'https://api.shop.example/static/%') AS images,
            (SELECT count(*)::int FROM product WHERE thumbnail LIKE 'https://api.shop.example/static/%') AS thumbnails`,
  );
  assert.deepEqual(row, { revoked: null, images: 8, thumbnails: 8 });
  assert.equal((await sql(database, hash))[0].hash, old);
});

test("a wrong password is told in one sentence", async () => {
  const database = await fresh();
  const { code, stderr, seconds } = await run("prepare", environment(database, { DATABASE_URL: `postgres://medusa:wr0ng@${PGHOST}:${PGPORT}/${database}` }));
  assert.equal(code, 1);
  assert.equal(stderr, `the database at ${PGHOST}:${PGPORT} refuses the password of user medusa\n`);
  assert.ok(seconds < 20);
});

test("a database that is not there is told in one sentence within 20 s", async () => {
  const port = await freePort();
  const { code, stderr, seconds } = await run("prepare", environment("none", { DATABASE_URL: `postgres://medusa:s3cret@127.0.0.1:${port}/none` }));
  assert.equal(code, 1);
  assert.equal(stderr, `the database at 127.0.0.1:${port} cannot be reached: connection refused\n`);
  assert.ok(seconds < 20, `${seconds} s`);
});

test("how long a database is waited for can be chosen", async () => {
  const port = await freePort();
  const away = (patience) => run("prepare", environment("none", { DATABASE_URL: `postgres://medusa:s3cret@127.0.0.1:${port}/none`, DATABASE_PATIENCE_SECONDS: patience }));
  const { code, stderr, seconds } = await away("1");
  assert.equal(code, 1);
  assert.match(stderr, /connection refused/);
  assert.ok(seconds < 10);
  assert.equal((await away("ages")).stderr, "DATABASE_PATIENCE_SECONDS must be a number of seconds\n");
});

test("TLS that the server does not offer is told in one sentence", async () => {
  const { code, stderr } = await run("prepare", environment("medusa", { DATABASE_SSL: "require" }));
  assert.equal(code, 1);
  assert.equal(stderr, `the database at ${PGHOST}:${PGPORT} does not offer TLS, which DATABASE_SSL requires\n`);
});

test("with a known authority no other server gets the password", async () => {
  const [known, other] = ["known", "other"].map((name) => authority(path.join(folder, name)));
  const data = path.join(POSTGRES_FOLDER, "data");
  for (const file of ["server.crt", "server.key"]) {
    fs.copyFileSync(path.join(folder, "known", file), path.join(data, file));
    const { uid, gid } = fs.statSync(data);
    fs.chownSync(path.join(data, file), uid, gid);
    fs.chmodSync(path.join(data, file), 0o600);
  }
  await superuser("ALTER SYSTEM SET ssl = on");
  control("restart");
  try {
    const database = await fresh();
    const url = `postgres://medusa:medusa@${PGHOST}:${PGPORT}/${database}?sslmode=require`;
    const attempt = (more) => run("prepare", environment(database, { DATABASE_URL: url, ...more }));
    const refused = await attempt({ DATABASE_CA: other });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /cannot be used: .*certificate/);
    // The certificate is for the address and no name.
    const named = await attempt({ DATABASE_CA: known, DATABASE_URL: url.replace(PGHOST, "localhost") });
    assert.equal(named.code, 1);
    assert.match(named.stderr, /cannot be used: .*altnames/);
    const verified = await attempt({ DATABASE_CA: known });
    assert.equal(verified.code, 0, verified.stderr);
  } finally {
    await superuser("ALTER SYSTEM RESET ssl");
    control("restart");
  }
});

test("prepare waits for a database that comes up beside it", async () => {
  const database = await fresh();
  control("stop", "--mode", "fast");
  const preparing = launch([path.join(app, "entrypoint.js"), "prepare"], environment(database));
  control("start");
  const { code, stderr } = await preparing.ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(await facts(database), complete);
});

test("a database that Medusa itself migrated gets goods, key and admin, and ends with the snapshot's schema", async () => {
  const [database, other] = [await fresh(), await fresh()];
  const { code, stdout } = await launch(
    [path.join(app, "node_modules/@medusajs/cli/cli.js"), "db:migrate", "--execute-safe-links"],
    environment(database, { MEDUSA_DISABLE_TELEMETRY: "true" }),
    app,
  ).ended;
  assert.equal(code, 0, stdout.slice(-2000));
  const first = await prepared(environment(database));
  assert.match(first.stdout, /prepare: migrated/);
  assert.deepEqual(await facts(database), complete);
  assert.match((await prepared(environment(database))).stdout, /nothing to do/);
  await prepared(environment(other));
  assert.deepEqual(schema(database), schema(other));
});

test("an older store is migrated and keeps what its owner changed", async () => {
  const database = await fresh();
  await prepared(environment(database));
  await sql(database, "UPDATE urumi_prepared SET value = 'older' WHERE item = 'version'");
  await sql(database, "DELETE FROM product WHERE handle = 'soy-candle'");
  await sql(database, "UPDATE store SET name = 'Renamed'");
  const { stdout } = await prepared(environment(database));
  assert.match(stdout, /prepare: migrated/);
  assert.deepEqual(await facts(database), { ...complete, products: 7, pictures: 7, name: "Renamed" });
});

test("a migration that fails is told in one sentence, and leaves no record of success", async () => {
  const database = await fresh();
  // A foreign table with the name of one of Medusa's.
  await superuser("CREATE TABLE cart (mine int)", database);
  const { code, stderr } = await run("prepare", environment(database));
  assert.equal(code, 1);
  assert.match(stderr, /^a database migration failed: [^\n]+\n$/);
  assert.doesNotMatch(stderr, /medusa:medusa|correct horse/);
  const [{ made }] = await sql(database, "SELECT to_regclass('urumi_prepared') AS made");
  assert.equal(made, null);
});

test("a store sells: pages, pictures, sign-in, an order; and readiness follows the database", async (t) => {
  const database = await fresh();
  await prepared(environment(database));
  const store = await serve(database);
  await store.ready();
  t.diagnostic(`ready after ${((performance.now() - store.server.started) / 1000).toFixed(1)} s, ${store.memory()} MB`);

  await t.test("liveness, keys, goods", async () => {
    assert.equal((await store.call("/health")).text, "OK");
    const { regions } = (await store.call("/store/regions")).json();
    assert.deepEqual(regions.map((region) => region.currency_code).sort(), ["eur", "usd"]);
    assert.equal((await store.call("/store/regions", { publishable: `pk_${"cd".repeat(32)}` })).status, 400);
    assert.equal((await store.call("/store/regions", { publishable: null })).status, 400);
    const { products } = (await store.call("/store/products?fields=handle,thumbnail")).json();
    assert.equal(products.length, 8);
    for (const { thumbnail } of products) {
      const picture = await store.call(new URL(thumbnail).pathname);
      assert.equal(picture.status, 200);
      assert.match(picture.headers.get("content-type"), /^image\/svg\+xml/);
      assert.ok(picture.text.length < 30_000);
    }
  });

  await t.test("the admin's pages and a sign-in over plain HTTP", async () => {
    const page = await store.call("/app");
    assert.equal(page.status, 200);
    const script = /src="(\/app\/assets\/[^"]+\.js)"/.exec(page.text)[1];
    assert.equal((await store.call(script)).status, 200);
    assert.equal((await store.call("/app/orders")).status, 200, "a deep link serves the page");
    const { token } = (await store.call("/auth/user/emailpass", { body: { email, password } })).json();
    assert.equal((await store.call("/auth/user/emailpass", { body: { email, password: "wrong" } })).status, 401);
    const session = await store.call("/auth/session", { method: "POST", headers: { authorization: `Bearer ${token}` } });
    const cookie = session.headers.get("set-cookie");
    assert.match(cookie, /HttpOnly/);
    assert.match(cookie, /SameSite=Lax/);
    assert.doesNotMatch(cookie, /Secure/);
    const orders = await store.call("/admin/orders", { headers: { cookie: cookie.split(";")[0] } });
    assert.equal(orders.status, 200);
    assert.deepEqual(orders.json().orders, []);
    assert.equal((await store.call("/admin/orders")).status, 401);
  });

  await t.test("no answer can be framed or taken for another type", async () => {
    for (const target of ["/app", "/app/orders", "/admin/orders", "/auth/user/emailpass", "/store/regions", "/static/products/wool-beanie.svg", "/health", "/nothing"]) {
      const { headers } = await store.call(target);
      assert.equal(headers.get("x-frame-options"), "DENY", target);
      // Express answers to what is nothing with a policy of its own.
      assert.equal(headers.get("content-security-policy"), target === "/nothing" ? "default-src 'none'" : "frame-ancestors 'none'", target);
      assert.equal(headers.get("x-content-type-options"), "nosniff", target);
      assert.equal(headers.get("strict-transport-security"), null, "the store has no HTTPS");
    }
  });

  await t.test("a page of another origin cannot use an administrator's session", async () => {
    const [own, shop, neighbour] = ["http://api-1.localhost", "http://store-1.localhost", "http://store-2.localhost"];
    const { token } = (await store.call("/auth/user/emailpass", { body: { email, password } })).json();
    const session = await store.call("/auth/session", { method: "POST", headers: { authorization: `Bearer ${token}` } });
    const cookie = session.headers.get("set-cookie").split(";")[0];
    let invited = 0;
    const invites = async () => (await sql(database, "SELECT count(*)::int AS n FROM invite"))[0].n;
    const invite = (headers, target = "/admin/invites") =>
      store.call(target, {
        body: `email=invited-${++invited}%40example.com`,
        headers: { cookie, "content-type": "application/x-www-form-urlencoded", ...headers },
      });
    const foreign = [
      { origin: neighbour, "sec-fetch-site": "same-site" },
      { origin: neighbour },
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      { origin: "null", "sec-fetch-site": "cross-site" },
      { origin: shop, "sec-fetch-site": "same-site" },
      { origin: `${own}.evil.example` },
      { referer: `${neighbour}/page`, "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of foreign) {
      for (const target of ["/admin/invites", "/ADMIN/invites/", "/admin/invites?x=/store/"]) {
        assert.equal((await invite(headers, target)).status, 403, `${JSON.stringify(headers)} ${target}`);
      }
    }
    assert.equal((await store.call("/auth/session", { method: "DELETE", headers: { cookie, ...foreign[0] } })).status, 403);
    assert.equal(await invites(), 0);
    const admitted = [
      {},
      { origin: own },
      { origin: own, "sec-fetch-site": "same-origin" },
      // The admin on a forwarded port.
      { origin: "http://localhost:9000", "sec-fetch-site": "same-origin" },
      { referer: `${own}/app/settings`, "sec-fetch-site": "same-site" },
    ];
    for (const headers of admitted) assert.equal((await invite(headers)).status, 200, JSON.stringify(headers));
    assert.equal(await invites(), admitted.length);
    const read = await store.call("/admin/invites", { headers: { cookie, ...foreign[0] } });
    assert.equal(read.status, 200, "a link to the admin works");
    assert.equal(read.headers.get("access-control-allow-origin"), null, "and the page cannot read the answer");
    const signIn = (origin) => store.call("/auth/customer/emailpass", { body: { email: "nobody@example.com", password }, headers: { origin } });
    assert.equal((await signIn(shop)).status, 401, "the shop's pages may sign customers in");
    assert.equal((await signIn(neighbour)).status, 403);
    assert.equal((await store.call("/store/carts", { publishable: null, body: "", method: "POST", headers: { cookie, ...foreign[0] } })).status, 400, "a form cannot send the key");
    assert.notEqual((await store.call("/hooks/payment/none", { body: {}, headers: { origin: "https://pay.example" } })).status, 403);
    assert.equal((await store.call("/auth/session", { method: "DELETE", headers: { cookie, origin: own } })).status, 200);
  });

  await t.test("who registers an administrator's address first does not become the administrator", async () => {
    const guess = "a password of the stranger";
    for (const actor of ["customer", "user"]) {
      const next = `next-${actor}@example.com`;
      const registered = (await store.call(`/auth/${actor}/emailpass/register`, { body: { email: next, password: guess } })).json();
      if (actor === "customer") {
        const bearer = { authorization: `Bearer ${registered.token}` };
        assert.equal((await store.call("/store/customers", { body: { email: next }, headers: bearer })).status, 200);
      }
      await prepared(environment(database, { STORE_ADMIN_EMAIL: next }));
      const signIn = (password) => store.call("/auth/user/emailpass", { body: { email: next, password } });
      assert.equal((await signIn(guess)).status, 401);
      const renewed = await store.call("/auth/token/refresh", { method: "POST", headers: { authorization: `Bearer ${registered.token}` } });
      const stranger = { authorization: `Bearer ${renewed.status === 200 ? renewed.json().token : registered.token}` };
      assert.equal((await store.call("/admin/orders", { headers: stranger })).status, 401);
      const owner = { authorization: `Bearer ${(await signIn(password)).json().token}` };
      assert.equal((await store.call("/admin/orders", { headers: owner })).status, 200);
      await prepared(environment(database, { STORE_ADMIN_EMAIL: next, STORE_ADMIN_PASSWORD: "generated later" }));
      assert.equal((await signIn(password)).status, 200);
    }
    // Back to one who is an administrator already.
    await prepared(environment(database, { STORE_ADMIN_PASSWORD: "generated later" }));
    assert.equal((await store.call("/auth/user/emailpass", { body: { email, password } })).status, 200);
  });

  await t.test("orders, found in the database", async (t) => {
    const id = await order(store.call);
    const [row] = await sql(database, `SELECT email, currency_code, status FROM "order" WHERE id = $1`, [id]);
    assert.deepEqual(row, { email: "customer@example.com", currency_code: "eur", status: "pending" });
    for (let count = 1; count < 20; count++) await order(store.call);
    assert.equal((await sql(database, `SELECT count(*)::int AS n FROM "order"`))[0].n, 20);
    t.diagnostic(`${store.memory()} MB after 20 orders`);
  });

  await t.test("an order is looked up by its number and e-mail address only, and neither its id nor its address is told", async () => {
    const id = await order(store.call);
    const [{ display_id: number }] = await sql(database, `SELECT display_id FROM "order" WHERE id = $1`, [id]);
    const ask = (body) => store.call("/store/orders/lookup", { body });
    const found = await ask({ number, email: " Customer@example.com " });
    assert.equal(found.status, 200, found.text);
    const { order: summary } = found.json();
    assert.deepEqual(Object.keys(summary), ["display_id", "status", "created_at", "currency_code", "total", "items"]);
    assert.equal(summary.display_id, number);
    assert.ok(summary.total > 0);
    assert.deepEqual(Object.keys(summary.items[0]), ["title", "variant_title", "quantity", "total", "thumbnail"]);
    assert.ok(!found.text.includes(id) && !found.text.includes("example.com") && !found.text.includes("address"));
    assert.equal((await ask({ number, email: "other@example.com" })).status, 404);
    assert.equal((await ask({ number: number + 1000, email: "customer@example.com" })).status, 404);
    for (const number of [0, -1, 1.5, 2 ** 40, "1", { $gt: 0 }, [1], null]) assert.equal((await ask({ number, email })).status, 400, JSON.stringify(number));
    // Patterns are not wildcards.
    assert.equal((await ask({ number, email: "_ustomer@example.com" })).status, 404);
    assert.equal((await ask({ number, email: "%" })).status, 404);
    for (const email of [null, 1, {}, "x".repeat(400)]) assert.equal((await ask({ number, email })).status, 400);
    assert.equal((await store.call("/store/orders/lookup", { body: { number, email }, publishable: null })).status, 400);
  });

  await t.test("a client or an e-mail address whose orders are guessed has to wait, and others do not", async () => {
    const customer = { email: "victim_1@example.com" };
    const id = await order(store.call, customer.email);
    const [{ display_id: number }] = await sql(database, `SELECT display_id FROM "order" WHERE id = $1`, [id]);
    const ask = (forwarded, body) => store.call("/store/orders/lookup", { body, headers: { "x-forwarded-for": forwarded } });
    const tally = (answers) => Object.fromEntries(Map.groupBy(answers, ({ status }) => status).entries().map(([status, all]) => [status, all.length]));
    const hundred = (make) => Promise.all(Array.from({ length: 100 }, (_, index) => make(index))).then(tally);
    const waits = ({ status, headers }) => {
      assert.equal(status, 429);
      const seconds = Number(headers.get("retry-after"));
      assert.ok(seconds > 0 && seconds <= 900, `${seconds} s`);
    };

    // One client, other customers; what the client itself writes into the header does not count.
    assert.deepEqual(await hundred((index) => ask(`198.51.100.${index}, 203.0.113.1`, { number, email: `guess-${index}@example.com` })), { 404: 60, 429: 40 });
    waits(await ask("203.0.113.1", { number, ...customer }));
    assert.equal((await ask("203.0.113.2", { number, ...customer })).status, 200);
    // The addresses of one IPv6 network.
    assert.deepEqual(await hundred((index) => ask(`2001:db8:0:1::${index}`, { number, email: `more-${index}@example.com` })), { 404: 60, 429: 40 });
    assert.equal((await ask("2001:db8:0:2::1", { number, ...customer })).status, 200);
    // One who looks up what is there is not limited.
    for (let count = 0; count < 12; count++) assert.equal((await ask("203.0.113.3", { number, ...customer })).status, 200);
    // Many clients, one customer.
    assert.deepEqual(await hundred((index) => ask(`198.51.100.${index}`, { number: number + 1 + index, email: "Victim_1@example.com" })), { 404: 10, 429: 90 });
    waits(await ask("203.0.113.4", { number, ...customer }));
    waits(await ask("203.0.113.4", { number: number + 1000, ...customer }));
    const other = await order(store.call, "other@example.com");
    const [{ display_id: another }] = await sql(database, `SELECT display_id FROM "order" WHERE id = $1`, [other]);
    assert.equal((await ask("203.0.113.5", { number: another, email: "other@example.com" })).status, 200);
  });

  await t.test("an order that tried the shop is taken back with the token, once, and no other is", async () => {
    const reserved = async () => (await sql(database, "SELECT coalesce(sum(reserved_quantity), 0)::int AS n FROM inventory_level"))[0].n;
    const before = await reserved();
    const id = await order(store.call, "smoke-test@urumi.invalid");
    assert.ok((await reserved()) > before);
    const cancel = (id, token) => store.call(`/smoke/orders/${id}/cancel`, { method: "POST", headers: token && { "x-smoke-token": token } });
    assert.equal((await cancel(id)).status, 401);
    assert.equal((await cancel(id, "wrong")).status, 401);
    const state = async (id) => (await sql(database, `SELECT status, metadata FROM "order" WHERE id = $1`, [id]))[0];
    assert.deepEqual(await state(id), { status: "pending", metadata: null });
    for (const _ of ["first", "again"]) {
      const cancelled = await cancel(id, "a token of the test");
      assert.equal(cancelled.status, 200, cancelled.text);
      assert.deepEqual(cancelled.json().order, { id, status: "canceled" });
    }
    assert.deepEqual(await state(id), { status: "canceled", metadata: { smoke_test: true } });
    assert.equal(await reserved(), before, "what was reserved can be sold again");
    const real = await order(store.call);
    assert.equal((await cancel(real, "a token of the test")).status, 404);
    assert.equal((await state(real)).status, "pending");
  });

  await t.test("what is sold out cannot be bought", async () => {
    const { products } = (await store.call("/store/products?handle=linen-throw&fields=*variants")).json();
    const { regions } = (await store.call("/store/regions")).json();
    const { cart } = (await store.call("/store/carts", { body: { region_id: regions[0].id } })).json();
    const refused = await store.call(`/store/carts/${cart.id}/line-items`, { body: { variant_id: products[0].variants[0].id, quantity: 1 } });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /inventory/);
  });

  await t.test("a database that hangs, then one that is gone", async () => {
    const stopped = postgres();
    for (const pid of stopped) process.kill(pid, "SIGSTOP");
    try {
      const asked = performance.now();
      const hung = await store.call("/health/ready");
      assert.equal(hung.status, 503);
      assert.equal(hung.json().reason, `the database at ${PGHOST}:${PGPORT} cannot be reached: no answer`);
      // Within the timeout of a probe.
      assert.ok(performance.now() - asked < 5000);
      assert.equal((await store.call("/health")).status, 200);
    } finally {
      for (const pid of stopped) process.kill(pid, "SIGCONT");
    }
    await store.ready();
    control("stop", "--mode", "immediate");
    try {
      await until("not ready", async () => (await store.readiness())?.status === 503);
      // The first answer may still report the closed connection.
      await until("the reason", async () => (await store.readiness()).json().reason === `the database at ${PGHOST}:${PGPORT} cannot be reached: connection refused`);
      assert.equal((await store.call("/health")).status, 200);
    } finally {
      control("start");
    }
    await store.ready();
    await until("Medusa's own connections", async () => (await store.call("/store/regions").catch(() => undefined))?.status === 200);
  });

  const { code, seconds } = await store.stop();
  assert.equal(code, 0);
  assert.ok(seconds < 5, `${seconds} s`);
  t.diagnostic(`stopped in ${seconds.toFixed(2)} s`);
});

test("a store that starts before its database says so, and serves once it is there; its cookies are Secure behind https", async () => {
  const database = await fresh();
  const https = { MEDUSA_BACKEND_URL: "https://api.shop.example" };
  await prepared(environment(database, https));
  control("stop", "--mode", "fast");
  const store = await serve(database, https);
  let first;
  try {
    first = await until("an answer", () => store.readiness());
  } finally {
    control("start");
  }
  assert.equal(first.status, 503);
  assert.equal(first.json().reason, `the database at ${PGHOST}:${PGPORT} cannot be reached: connection refused`);
  await store.ready();
  const { token } = (await store.call("/auth/user/emailpass", { body: { email, password } })).json();
  assert.equal((await store.call("/app")).headers.get("strict-transport-security"), "max-age=31536000");
  const headers = { authorization: `Bearer ${token}`, "x-forwarded-proto": "https" };
  const session = await store.call("/auth/session", { method: "POST", headers });
  const cookie = session.headers.get("set-cookie");
  assert.match(cookie, /^__Host-connect\.sid=.*Path=\/;.*Secure/);
  assert.equal((await store.call("/admin/orders", { headers: { "x-forwarded-proto": "https", cookie: cookie.split(";")[0] } })).status, 200);
  assert.equal((await store.stop()).code, 0);
});

test("a store ends at once when it is told to while it starts", async () => {
  const port = await freePort();
  const store = await serve("none", { DATABASE_URL: `postgres://medusa:medusa@127.0.0.1:${port}/none` });
  await until("an answer", () => store.readiness());
  const { code, seconds } = await store.stop();
  assert.equal(code, 0);
  assert.ok(seconds < 5, `${seconds} s`);
});

/** Buys a product as a customer does; returns the order's id. */
async function order(call, email = "customer@example.com") {
  const done = async (target, options) => {
    const response = await call(target, options);
    assert.equal(response.status, 200, `${target}: ${response.text}`);
    return response.json();
  };
  const region = (await done("/store/regions")).regions.find((one) => one.currency_code === "eur");
  const { products } = await done(`/store/products?handle=dot-grid-notebook&region_id=${region.id}&fields=*variants.calculated_price`);
  const [variant] = products[0].variants;
  assert.equal(variant.calculated_price.calculated_amount, 14);
  const { cart } = await done("/store/carts", { body: { region_id: region.id, email } });
  await done(`/store/carts/${cart.id}/line-items`, { body: { variant_id: variant.id, quantity: 2 } });
  const address = { first_name: "Cus", last_name: "Tomer", address_1: "Street 1", city: "Berlin", postal_code: "10115", country_code: "de" };
  await done(`/store/carts/${cart.id}`, { body: { shipping_address: address, billing_address: address } });
  const { shipping_options } = await done(`/store/shipping-options?cart_id=${cart.id}`);
  assert.deepEqual(shipping_options.map(({ name, amount }) => `${name} ${amount}`).sort(), ["Express 12", "Standard 4.9"]);
  await done(`/store/carts/${cart.id}/shipping-methods`, { body: { option_id: shipping_options.find(({ name }) => name === "Standard").id } });
  const { payment_collection } = await done("/store/payment-collections", { body: { cart_id: cart.id } });
  await done(`/store/payment-collections/${payment_collection.id}/payment-sessions`, { body: { provider_id: "pp_system_default" } });
  const completed = await done(`/store/carts/${cart.id}/complete`, { method: "POST" });
  assert.equal(completed.type, "order");
  assert.equal(completed.order.total, 32.9);
  return completed.order.id;
}
