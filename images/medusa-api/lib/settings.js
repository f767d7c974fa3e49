// What the environment says about where the store's database is and how to reach it.
"use strict";

const SSL = {
  disable: false,
  require: { rejectUnauthorized: false },
  // The server's name may differ from the certificate's; the chain must still be valid.
  "verify-ca": { rejectUnauthorized: true, checkServerIdentity: () => undefined },
  "verify-full": { rejectUnauthorized: true },
};

/** The database's URL without `sslmode` (drivers read it differently) and the TLS options that it or `DATABASE_SSL` ask for. */
function database(env = process.env) {
  if (!env.DATABASE_URL) throw new Error("DATABASE_URL is not set");
  const url = parse(env.DATABASE_URL);
  const asked = env.DATABASE_SSL || url.searchParams.get("sslmode") || "disable";
  url.searchParams.delete("sslmode");
  // libpq's opportunistic modes have no equal in Node's driver.
  const mode = asked === "prefer" || asked === "allow" ? "disable" : asked;
  if (!(mode in SSL)) throw new Error(`DATABASE_SSL is "${asked}", but must be disable, require or verify-full`);
  return { url: url.href, ssl: SSL[mode], host: where(url), user: decodeURIComponent(url.username), name: decodeURIComponent(url.pathname.slice(1)) };
}

function parse(text) {
  try {
    return new URL(text);
  } catch {
    // The error's own text would repeat the URL, and with it the password.
    throw new Error("DATABASE_URL is not a URL");
  }
}

/** Host and port as a person names them; a socket's folder where there is no host. */
function where(url) {
  const host = url.searchParams.get("host") || url.hostname || "localhost";
  return host.startsWith("/") ? host : `${host}:${url.port || 5432}`;
}

/** The public base of the API, without a trailing slash. */
function backend(env = process.env) {
  return (env.MEDUSA_BACKEND_URL || "").replace(/\/+$/, "");
}

module.exports = { database, backend };
