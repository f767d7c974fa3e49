// POST /store/orders/lookup: what became of an order, for a customer who knows its number and the e-mail address it was
// placed with. Neither an address is told nor the order's id, which would open all of it: two facts that can be guessed
// are little proof.
"use strict";

const FIELDS = [
  ...["display_id", "email", "status", "created_at", "currency_code", "total"],
  ...["items.title", "items.variant_title", "items.quantity", "items.total", "items.thumbnail"],
];

exports.POST = async (request, response) => {
  const { number, email } = request.body ?? {};
  if (!Number.isSafeInteger(number) || number < 1 || number > 2 ** 31 - 1 || typeof email !== "string" || email.length > 320) {
    return response.status(400).json({ type: "invalid_data", message: "number (a positive integer) and email (text) are needed" });
  }
  const { data } = await request.scope.resolve("query").graph({ entity: "order", fields: FIELDS, filters: { display_id: number } });
  const found = data.find((order) => order.email?.toLowerCase() === email.trim().toLowerCase());
  if (!found) return response.status(404).json({ type: "not_found", message: "There is no order of this number and e-mail address" });
  const { display_id, status, created_at, currency_code, total } = found;
  const items = found.items.map(({ title, variant_title, quantity, total, thumbnail }) => ({ title, variant_title, quantity, total, thumbnail }));
  response.json({ order: { display_id, status, created_at, currency_code, total, items } });
};
