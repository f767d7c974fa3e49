// Protection of the API from web pages of other origins. Stores are neighbours below one domain, so browsers send the
// session's cookie with requests from a neighbour's pages, whatever its SameSite.
"use strict";

const { backend } = require("./settings");

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** A page cannot send the publishable key that /store asks for without CORS; /hooks takes signatures and no cookie. */
const OPEN = /^\/(store|hooks)(\/|$)/i;
const AUTH = /^\/auth(\/|$)/i;

/** Headers of every answer: no page frames it, and no browser guesses its type. */
function headers(env = process.env) {
  const all = new Headers({
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
  });
  if (backend(env).startsWith("https:")) all.set("Strict-Transport-Security", "max-age=31536000");
  return all;
}

/** Middleware that answers 403 to requests that change something and come from a page of an origin that is not allowed to. */
function refuseForeignPages(env = process.env) {
  // Loading it takes seconds.
  const { parseCorsOrigins } = require("@medusajs/framework/utils");
  const own = URL.canParse(backend(env)) ? [new URL(backend(env)).origin] : [];
  const auth = [...own, ...parseCorsOrigins(env.AUTH_CORS)];
  const admin = [...own, ...parseCorsOrigins(env.ADMIN_CORS)];
  return (request, response, next) => {
    if (SAFE.has(request.method) || OPEN.test(request.path)) return next();
    const origin = foreignOrigin(request);
    const allowed = AUTH.test(request.path) ? auth : admin;
    if (!origin || allowed.some((one) => (one instanceof RegExp ? one.test(origin) : one === origin))) return next();
    response.status(403).json({ type: "not_allowed", message: "Pages of this origin may not send this request" });
  };
}

/** The origin of the page that sent the request; undefined for programs and for pages of the API itself. */
function foreignOrigin(request) {
  const site = request.get("sec-fetch-site");
  // Browsers set this header, and pages cannot. It lets the admin work on a forwarded port, too.
  if (site === "same-origin") return undefined;
  const origin = request.get("origin");
  if (origin || (site !== "cross-site" && site !== "same-site")) return origin;
  const referer = request.get("referer");
  return URL.canParse(referer) ? new URL(referer).origin : "null";
}

module.exports = { headers, refuseForeignPages };
