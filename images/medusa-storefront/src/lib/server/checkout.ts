// What the steps of a checkout ask of the API.
import { STOREFRONT_SETTINGS } from '$app/env/private';
import type { HttpTypes } from '@medusajs/types';
import { isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import { nextStep, steps, type Cart, type Step } from '#lib/purchase.ts';
import { ApiError, ask, tell } from './api.ts';
import { currentCart } from './cart.ts';

/** Medusa's own, by which an order is paid outside of the shop, or not at all. */
export const MANUAL = 'pp_system_default';

type Event = Pick<RequestEvent, 'cookies' | 'locals' | 'request'>;

/** The cart of somebody who may be at `step`; leads to where they have to be otherwise. */
export async function cartAt(event: Event, step: Step): Promise<Cart> {
  const cart = await currentCart(event);
  if (!cart?.lines.length) redirect(303, '/cart');
  const next = nextStep(cart);
  if (steps.indexOf(step) > steps.indexOf(next)) redirect(303, next);
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
  return answer.payment_providers.map(({ id }) => id).filter((id) => id === MANUAL);
}

/** Medusa gives a cart one collection, whoever asks for it how often; a session that is there is not made again. */
export async function choosePayment(cart: Cart, provider: string) {
  if (cart.payment === provider) return;
  const asked = { cart_id: cart.id };
  const { payment_collection } = await tell<HttpTypes.StorePaymentCollectionResponse>(
    '/store/payment-collections',
    asked,
  );
  await tell(`/store/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id: provider });
}

/** How the shop's own way to pay is meant. */
export const manualPayment = () => STOREFRONT_SETTINGS.manualPayment;
