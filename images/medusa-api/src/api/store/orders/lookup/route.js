// POST /store/orders/lookup: the state of an order, for a customer who knows its number and e-mail address. Both can be
// guessed, so the answer contains neither an address nor the order's id, which gives access to the complete order, and failed
// attempts are limited. The client's address is the last one in X-Forwarded-For, which the peer (the Ingress controller or the
// storefront) adds: Medusa trusts one proxy.
"use strict";

const { Guesses } = require("../../../../../lib/guesses");

const guesses = new Guesses(process.env.REDIS_URL);

const FIELDS = [
  ...["display_id", "status", "created_at", "currency_code", "total"],
  ...["items.title", "items.variant_title", "items.quantity", "items.total", "items.thumbnail"],
];

exports.POST = async (request, response) => {
  const { number, email } = request.body ?? {};
  if (!Number.isSafeInteger(number) || number < 1 || number > 2 ** 31 - 1 || typeof email !== "string" || email.length > 320) {
    return response.status(400).json({ type: "invalid_data", message: "number (a positive integer) and email (text) are needed" });
  }
  const wanted = email.trim().toLowerCase();
  const wait = await guesses.count(request.ip, wanted);
  if (wait) {
    response.set("Retry-After", String(wait));
    return response.status(429).json({ type: "too_many_requests", message: "Too many attempts to look up an order" });
  }
  // One query for both facts, so that neither the answer nor its time tells which of them is wrong.
  const filters = { display_id: number, email: { $ilike: wanted.replace(/[\\%_]/g, "\\$&") } };
  const { data } = await request.scope.resolve("query").graph({ entity: "order", fields: FIELDS, filters });
  const [found] = data;
  if (!found) return response.status(404).json({ type: "not_found", message: "There is no order of this number and e-mail address" });
  await guesses.forgive(request.ip, wanted);
  const { display_id, status, created_at, currency_code, total } = found;
  const items = found.items.map(({ title, variant_title, quantity, total, thumbnail }) => ({ title, variant_title, quantity, total, thumbnail }));
  response.json({ order: { display_id, status, created_at, currency_code, total, items } });
};
