// Last step of a payment by card: the review, and Stripe's form.
import { redirect } from '@sveltejs/kit';
import { STOREFRONT_URL } from '$app/env/private';
import { cartAt, isOpen, isTest, stripeKey } from '#lib/server/checkout.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const cart = await cartAt(event, '/checkout/card');
  // The URL names the cart: the cookie is gone if another tab was faster.
  const back = `/checkout/card/return?cart=${cart.id}`;
  if (!isOpen(cart)) redirect(303, back);
  return {
    cart,
    test: isTest([cart.payment ?? '']),
    stripe: { key: stripeKey(), secret: cart.card?.secret, back: STOREFRONT_URL + back },
  };
};
