// POST /smoke/orders/ID/cancel: cancels a smoke order and marks it as such. Requires the store's token for smoke orders,
// which gives access to nothing else: the route rejects all other orders.
"use strict";

const { createHash, timingSafeEqual } = require("node:crypto");
const { cancelOrderWorkflow } = require("@medusajs/medusa/core-flows");

/** The domain never exists (RFC 2606), so no notification is delivered. */
const EMAIL = "smoke-test@urumi.invalid";

const digest = (text) => createHash("sha256").update(text).digest();

exports.POST = async (request, response) => {
  const expected = process.env.SMOKE_TOKEN;
  const given = request.get("x-smoke-token");
  if (!expected || !given || !timingSafeEqual(digest(expected), digest(given))) {
    return response.status(401).json({ type: "unauthorized", message: "Unauthorized" });
  }
  const { id } = request.params;
  const read = async () => {
    const { data } = await request.scope.resolve("query").graph({ entity: "order", fields: ["id", "email", "status"], filters: { id } });
    return data[0];
  };
  const order = await read();
  if (order?.email !== EMAIL) return response.status(404).json({ type: "not_found", message: `There is no smoke order ${id}` });
  if (order.status !== "canceled") {
    await request.scope.resolve("order").updateOrders(id, { metadata: { smoke_test: true } });
    await cancelOrderWorkflow(request.scope).run({ input: { order_id: id } });
  }
  const { status } = await read();
  response.json({ order: { id, status } });
};
