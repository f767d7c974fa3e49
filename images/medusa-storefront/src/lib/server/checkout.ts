// What the steps of a checkout ask of the API.
import { STOREFRONT_SETTINGS, STRIPE_PUBLISHABLE_KEY } from '$app/env/private';
import type { HttpTypes } from '@medusajs/types';
import { isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import { CARD, MANUAL, nextStep, place, type Cart, type Step } from '#lib/purchase.ts';
import { ApiError, ask, tell } from './api.ts';
import { currentCart, inTurn, readCart } from './cart.ts';
import { completeUnlessRefused } from './orders.ts';

type Event = Pick<RequestEvent, 'cookies' | 'locals' | 'request'>;

/** The cart of somebody who may be at `step`; leads to where they have to be otherwise. */
export async function cartAt(event: Event, step: Step): Promise<Cart> {
  const cart = await currentCart(event);
  if (!cart?.lines.length) redirect(303, '/cart');
  const next = nextStep(cart);
  if (place(step) > place(next) || (place(step) === place(next) && step !== next)) redirect(303, next);
  return cart;
}

/**
 * What a page shows while an answer to its form is shown on it: nothing, if the API cannot be asked, or if the cart has
 * become an order meanwhile. The form's own answer tells of it, with all that was entered, and with a way to send it
 * again; an error page or another step would lose that.
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

/** The ways to pay that this shop can take, of those that the region has. */
export async function paymentProviders(cart: Cart): Promise<string[]> {
  const query = { region_id: cart.region };
  const answer = await ask<HttpTypes.StorePaymentProviderListResponse>('/store/payment-providers', query, 10_000);
  const region = new Set(answer.payment_providers.map(({ id }) => id));
  return [...(STRIPE_PUBLISHABLE_KEY ? [CARD] : []), MANUAL].filter((id) => region.has(id));
}

/** In these Stripe still takes a card. */
const OPEN = ['pending', 'requires_more'];
export const isOpen = (cart: Cart) => OPEN.includes(cart.card?.status ?? '');

/**
 * Medusa gives a cart one collection, whoever asks for it how often; a session that is there is not made again.
 *
 * A card may have been charged without Medusa knowing yet. So before another payment takes the place of one by card,
 * Medusa is asked to complete the cart, for which it asks Stripe: who has paid gets the `order`. Of what has been paid in
 * between, or for another total, Medusa cannot remove the session: then the payment is `held`, and nobody pays again.
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

/** Stripe's key for browsers, where the shop has one. */
export const stripeKey = () => STRIPE_PUBLISHABLE_KEY;

/** Whether nothing is charged by any of these ways to pay. */
export const isTest = (providers: string[]) =>
  providers.length > 0 &&
  providers.every((id) =>
    id === CARD ? STRIPE_PUBLISHABLE_KEY?.startsWith('pk_test_') : STOREFRONT_SETTINGS.manualPayment === 'test',
  );

/** How the shop's own way to pay is meant. */
export const manualPayment = () => STOREFRONT_SETTINGS.manualPayment;
