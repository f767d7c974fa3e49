// Last step: the review and the order. A cart becomes one order, however often the form is sent.
import { fail, redirect } from '@sveltejs/kit';
import { nextStep } from '#lib/purchase.ts';
import { ApiError } from '#lib/server/api.ts';
import { cartId, forget, isCartId, readCart } from '#lib/server/cart.ts';
import { cartAt, manualPayment, unlessAnswering } from '#lib/server/checkout.ts';
import { complete } from '#lib/server/orders.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const cart = await unlessAnswering(event, () => cartAt(event, '/checkout/review'));
  return { cart, manual: manualPayment() };
};

export const actions: Actions = {
  default: async (event) => {
    const form = await event.request.formData();
    // The cart of the page, not of the cookie: the cookie is gone if the cart was ordered in the meantime.
    const id = form.get('cart');
    const seen = String(form.get('total') ?? '').slice(0, 40);
    if (!isCartId(id)) redirect(303, '/cart');
    const values = { cart: id, total: seen };

    const { failed, done: cart } = await attempt(values, () => readCart(id));
    if (failed) return failed;
    if (!cart.completed) {
      if (nextStep(cart) !== '/checkout/review') redirect(303, cartId(event) === id ? nextStep(cart) : '/cart');
      if (`${cart.totals.total} ${cart.totals.currency}` !== seen) {
        return fail(409, { trouble: 'changed' as const, values: {} });
      }
    }
    const ordered = await attempt(values, async () => {
      try {
        return await complete(id);
      } catch (error) {
        // The order may exist although its answer was lost; another attempt shows it.
        if (error instanceof ApiError && !error.refused) return fail(503, { trouble: 'unknown' as const, values });
        throw error;
      }
    });
    if (ordered.failed) return ordered.failed;
    if (!ordered.done) return fail(409, { trouble: 'refused' as const, values });
    if (typeof ordered.done !== 'string') return ordered.done;
    if (cartId(event) === id) forget(event);
    redirect(303, `/orders/${ordered.done}`);
  },
};
