// The cart and all its changes. Forms on other pages are sent here too.
import { redirect, fail } from '@sveltejs/kit';
import { back } from '#lib/server/back.ts';
import { remove, tell } from '#lib/server/api.ts';
import { addToCart, cartId, changeLine, currentCart } from '#lib/server/cart.ts';
import { unlessAnswering } from '#lib/server/checkout.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions, PageServerLoad, RequestEvent } from './$types';

const MOST = 999;

export const load: PageServerLoad = async (event) => {
  const cart = await unlessAnswering(event, async () => ({ cart: await currentCart(event) }));
  return { known: cart !== undefined, cart: cart?.cart, trouble: event.url.searchParams.get('trouble') === 'region' };
};

/** A form's quantity: a whole number up to the maximum; undefined if it is invalid. */
function amount(given: FormDataEntryValue | null): number | undefined {
  return typeof given === 'string' && /^\d{1,3}$/.test(given.trim()) ? Math.min(Number(given), MOST) : undefined;
}

const id = (given: FormDataEntryValue | null) =>
  typeof given === 'string' && /^\w{1,64}$/.test(given) ? given : undefined;

/** A token that identifies a rendered form. */
const once = (given: FormDataEntryValue | null) =>
  typeof given === 'string' && /^[0-9a-f-]{36}$/.test(given) ? given : undefined;

/** Adds or removes a promotion code; both requests have the same body. */
function promotion(send: typeof tell | typeof remove) {
  return async (event: RequestEvent) => {
    const form = await event.request.formData();
    const cart = cartId(event);
    const code = String(form.get('code') ?? '')
      .trim()
      .slice(0, 100);
    if (!cart || !code) return fail(400, { trouble: 'fields' as const, values: {} });
    const path = `/store/carts/${cart}/promotions`;
    const { failed } = await attempt({ code }, () => send(path, { promo_codes: [code] }), 'code');
    if (failed) return failed;
    redirect(303, '/cart');
  };
}

export const actions: Actions = {
  add: async (event) => {
    const form = await event.request.formData();
    const variant = id(form.get('variant'));
    const quantity = amount(form.get('quantity') ?? '1');
    if (!variant || !quantity) return fail(400, { trouble: 'fields' as const, values: {} });
    const to = String(form.get('to') ?? '/cart');
    const token = once(form.get('once'));
    const values = { variant, quantity: String(quantity), to, ...(token && { once: token }) };
    const { failed, done: before } = await attempt(values, () => addToCart(event, variant, quantity, token));
    if (failed) return failed;
    if (before) redirect(303, '/cart');
    const target = new URL(back(form, event.url), event.url);
    target.searchParams.set('added', variant);
    redirect(303, target.pathname + target.search);
  },
  change: async (event) => {
    const form = await event.request.formData();
    const cart = cartId(event);
    const line = id(form.get('line'));
    const quantity = amount(form.get('quantity'));
    if (!cart || !line || quantity === undefined) return fail(400, { trouble: 'fields' as const, values: {} });
    const { failed } = await attempt({ line, quantity: String(quantity) }, () => changeLine(cart, line, quantity));
    if (failed) return failed;
    redirect(303, '/cart');
  },
  promote: promotion(tell),
  demote: promotion(remove),
};
