// Third step: the payment method.
import { fail, redirect } from '@sveltejs/kit';
import { CARD } from '#lib/purchase.ts';
import { forget } from '#lib/server/cart.ts';
import {
  cartAt,
  choosePayment,
  isTest,
  manualPayment,
  paymentProviders,
  unlessAnswering,
} from '#lib/server/checkout.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const shown = await unlessAnswering(event, async () => {
    const cart = await cartAt(event, '/checkout/payment');
    return { cart, providers: await paymentProviders(cart) };
  });
  const { cart, providers } = shown ?? {};
  return { cart, providers, manual: manualPayment(), test: isTest(providers ?? []) };
};

export const actions: Actions = {
  default: async (event) => {
    const provider = String((await event.request.formData()).get('provider') ?? '');
    const { failed, done } = await attempt({ provider }, async () => {
      const cart = await cartAt(event, '/checkout/payment');
      if (!(await paymentProviders(cart)).includes(provider)) return undefined;
      return choosePayment(cart.id, provider);
    });
    if (failed) return failed;
    if (!done) return fail(400, { trouble: 'nothing' as const, values: {} });
    if (done.held) return fail(409, { trouble: 'held' as const, values: {} });
    if (done.order) {
      forget(event);
      redirect(303, `/orders/${done.order}`);
    }
    redirect(303, provider === CARD ? '/checkout/card' : '/checkout/review');
  },
};
