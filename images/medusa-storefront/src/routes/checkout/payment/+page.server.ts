// Third step: how it is paid.
import { fail, redirect } from '@sveltejs/kit';
import { cartAt, choosePayment, manualPayment, paymentProviders, unlessAnswering } from '#lib/server/checkout.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const shown = await unlessAnswering(event, async () => {
    const cart = await cartAt(event, '/checkout/payment');
    return { cart, providers: await paymentProviders(cart) };
  });
  return { cart: shown?.cart, providers: shown?.providers, manual: manualPayment() };
};

export const actions: Actions = {
  default: async (event) => {
    const provider = String((await event.request.formData()).get('provider') ?? '');
    const { failed, done } = await attempt({ provider }, async () => {
      const cart = await cartAt(event, '/checkout/payment');
      if (!(await paymentProviders(cart)).includes(provider)) return false;
      await choosePayment(cart, provider);
      return true;
    });
    if (failed) return failed;
    if (!done) return fail(400, { trouble: 'nothing' as const, values: {} });
    redirect(303, '/checkout/review');
  },
};
