// The page to which Stripe redirects the customer. A paid cart becomes one order, however often this is opened.
import { redirect } from '@sveltejs/kit';
import { cartId, forget, isCartId } from '#lib/server/cart.ts';
import { settle } from '#lib/server/card.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const id = event.url.searchParams.get('cart');
  if (!isCartId(id)) redirect(303, '/cart');
  const outcome = await settle(id);
  if ('order' in outcome) {
    if (cartId(event) === id) forget(event);
    redirect(303, `/orders/${outcome.order}`);
  }
  if (outcome.state === 'gone') redirect(303, '/cart');
  // Without the parameters that Stripe adds.
  return { state: outcome.state, again: `/checkout/card/return?cart=${id}` };
};
