// The API requests of the checkout's steps.
import { STOREFRONT_SETTINGS, STRIPE_PUBLISHABLE_KEY } from '$app/env/private';
import type { HttpTypes } from '@medusajs/types';
import { isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import { CARD, MANUAL, nextStep, place, type Cart, type Step } from '#lib/purchase.ts';
import { ApiError, ask, tell } from './api.ts';
import { currentCart, inTurn, readCart } from './cart.ts';
import { completeUnlessRefused } from './orders.ts';

type Event = Pick<RequestEvent, 'cookies' | 'locals' | 'request'>;

/** The cart, if its customer may be at `step`; otherwise redirects to the right step. */
export async function cartAt(event: Event, step: Step): Promise<Cart> {
  const cart = await currentCart(event);
  if (!cart?.lines.length) redirect(303, '/cart');
  const next = nextStep(cart);
  if (place(step) > place(next) || (place(step) === place(next) && step !== next)) redirect(303, next);
  return cart;
}

/**
 * The data of a page that shows the answer to its form. Undefined if the API cannot be reached, or if the cart has become an
 * order: the form's answer reports this with all entered values and lets the customer send them again, whereas an error page
 * or another step would lose them.
 */
export async function unlessAnswering<T>(event: Event, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (event.request.method === 'POST' && (error instanceof ApiError || isRedirect(error))) return undefined;
    throw error;
  }
}

export interface ShippingOption {
  id: string;
  name: string;
  description: string;
  amount: number;
}

export async function shippingOptions(cart: Cart): Promise<ShippingOption[]> {
  const query = { cart_id: cart.id };
  const answer = await ask<HttpTypes.StoreShippingOptionListResponse>('/store/shipping-options', query, 10_000);
  return answer.shipping_options
    .filter(({ amount, insufficient_inventory: none }) => typeof amount === 'number' && !none)
    .map(({ id, name, amount, type }) => ({ id, name, amount, description: type?.description ?? '' }))
    .sort((a, b) => a.amount - b.amount);
}

/** The region's payment methods that this shop supports. */
export async function paymentProviders(cart: Cart): Promise<string[]> {
  const query = { region_id: cart.region };
  const answer = await ask<HttpTypes.StorePaymentProviderListResponse>('/store/payment-providers', query, 10_000);
  const region = new Set(answer.payment_providers.map(({ id }) => id));
  return [...(STRIPE_PUBLISHABLE_KEY ? [CARD] : []), MANUAL].filter((id) => region.has(id));
}

/** The statuses in which Stripe still accepts a card. */
const OPEN = ['pending', 'requires_more'];
export const isOpen = (cart: Cart) => OPEN.includes(cart.card?.status ?? '');

/**
 * Medusa gives a cart one collection, however often it is requested; an existing session is not created again.
 *
 * A card may have been charged before Medusa knows. Therefore, before another payment replaces one by card, this asks Medusa
 * to complete the cart. Medusa asks Stripe, and a customer who has paid gets the `order`. If the payment happened in between,
 * or for another total, Medusa cannot remove the session: then the payment is `held`, and the customer must not pay again.
 */
export function choosePayment(id: string, provider: string): Promise<{ order?: string; held?: boolean }> {
  return inTurn(id, async () => {
    const cart = await readCart(id);
    if (cart.payment === provider && (provider !== CARD || isOpen(cart))) return {};
    if (cart.card?.fits || cart.completed) {
      const order = await completeUnlessRefused(id);
      if (order) return { order };
    }
    const asked = { cart_id: id };
    const { payment_collection } = await tell<HttpTypes.StorePaymentCollectionResponse>(
      '/store/payment-collections',
      asked,
    );
    await tell(`/store/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id: provider });
    return { held: (cart.card || cart.held) && (await readCart(id)).held };
  });
}

/** Stripe's publishable key, if the shop has one. */
export const stripeKey = () => STRIPE_PUBLISHABLE_KEY;

/** Whether none of these payment methods charges anything. */
export const isTest = (providers: string[]) =>
  providers.length > 0 &&
  providers.every((id) =>
    id === CARD ? STRIPE_PUBLISHABLE_KEY?.startsWith('pk_test_') : STOREFRONT_SETTINGS.current.manualPayment === 'test',
  );

/** The meaning of the shop's manual payment. */
export const manualPayment = () => STOREFRONT_SETTINGS.current.manualPayment;
