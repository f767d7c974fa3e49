// Reads the settings of the database and the API from the environment.
"use strict";

const SSL = {
  disable: () => false,
  require: () => ({ rejectUnauthorized: false }),
  // The server's name may differ from the certificate's; the chain must be valid.
  "verify-ca": (authority) => ({ rejectUnauthorized: true, ...authority, checkServerIdentity: () => undefined }),
  "verify-full": (authority) => ({ rejectUnauthorized: true, ...authority }),
};

/**
 * The database's URL without `sslmode` (drivers interpret it differently), and the TLS options from `sslmode`, `DATABASE_SSL`
 * or `DATABASE_CA`. With a known authority, the certificate is always verified, and `sslmode` is ignored.
 */
function database(env = process.env) {
  if (!env.DATABASE_URL) throw new Error("DATABASE_URL is not set");
  const url = parse(env.DATABASE_URL);
  const asked = env.DATABASE_SSL || (env.DATABASE_CA && "verify-full") || url.searchParams.get("sslmode") || "disable";
  url.searchParams.delete("sslmode");
  // Node's driver does not have libpq's opportunistic modes.
  const mode = asked === "prefer" || asked === "allow" ? "disable" : asked;
  if (!(mode in SSL)) throw new Error(`DATABASE_SSL is "${asked}", but must be disable, require or verify-full`);
  const ssl = SSL[mode](env.DATABASE_CA ? { ca: env.DATABASE_CA } : {});
  return { url: url.href, ssl, host: where(url), user: decodeURIComponent(url.username), name: decodeURIComponent(url.pathname.slice(1)) };
}

function parse(text) {
  try {
    return new URL(text);
  } catch {
    // The error's own text would contain the URL with the password.
    throw new Error("DATABASE_URL is not a URL");
  }
}

/** Host and port for messages; the socket's folder if there is no host. */
function where(url) {
  const host = url.searchParams.get("host") || url.hostname || "localhost";
  return host.startsWith("/") ? host : `${host}:${url.port || 5432}`;
}

/** The public URL of the API, without a trailing slash. */
function backend(env = process.env) {
  return (env.MEDUSA_BACKEND_URL || "").replace(/\/+$/, "");
}

module.exports = { database, backend };
