// Second step: the shipping method.
import { fail, redirect } from '@sveltejs/kit';
import { tell } from '#lib/server/api.ts';
import { cartAt, shippingOptions, unlessAnswering } from '#lib/server/checkout.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const shown = await unlessAnswering(event, async () => {
    const cart = await cartAt(event, '/checkout/shipping');
    return { cart, options: await shippingOptions(cart) };
  });
  return { cart: shown?.cart, options: shown?.options };
};

export const actions: Actions = {
  default: async (event) => {
    const option = String((await event.request.formData()).get('option') ?? '');
    if (!/^\w{1,64}$/.test(option)) return fail(400, { trouble: 'nothing' as const, values: {} });
    const { failed } = await attempt({ option }, async () => {
      const cart = await cartAt(event, '/checkout/shipping');
      if (cart.shipping?.option === option) return;
      await tell(`/store/carts/${cart.id}/shipping-methods`, { option_id: option });
    });
    if (failed) return failed;
    redirect(303, '/checkout/payment');
  },
};
