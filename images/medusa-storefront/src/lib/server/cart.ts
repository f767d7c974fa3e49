// The customer's cart: it lives in the API, and its id in a cookie, so that any replica serves any customer.
import { STOREFRONT_URL } from '$app/env/private';
import type { HttpTypes } from '@medusajs/types';
import type { RequestEvent } from '@sveltejs/kit';
import type { Cart } from '#lib/purchase.ts';
import { address, lines, totals } from './amounts.ts';
import { ApiError, ask, remove, tell } from './api.ts';
import { currentRegion } from './region.ts';

type Event = Pick<RequestEvent, 'cookies' | 'locals'>;

const secure = STOREFRONT_URL.startsWith('https:');
/** The prefix keeps other hosts of the same domain from setting it; browsers take it over HTTPS only. */
const COOKIE = secure ? '__Host-cart' : 'cart';
const MONTH = 30 * 24 * 3600;
const ID = /^cart_[0-9A-Za-z]{1,64}$/;
const query = { fields: '+items.total,+items.original_total,+shipping_methods.name,+shipping_methods.original_total' };

export const isCartId = (id: unknown): id is string => typeof id === 'string' && ID.test(id);

export function cartId({ cookies }: Pick<Event, 'cookies'>): string | undefined {
  const id = cookies.get(COOKIE);
  return isCartId(id) ? id : undefined;
}

function remember({ cookies }: Pick<Event, 'cookies'>, id: string) {
  cookies.set(COOKIE, id, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: MONTH });
}

export function forget({ cookies }: Pick<Event, 'cookies'>) {
  cookies.delete(COOKIE, { path: '/', httpOnly: true, sameSite: 'lax', secure });
}

export async function readCart(id: string): Promise<Cart> {
  return plain((await ask<HttpTypes.StoreCartResponse>(`/store/carts/${id}`, query, 10_000)).cart);
}

const asked = new WeakMap<App.Locals, Promise<Cart | undefined>>();

/** The visitor's cart, read once a request; nothing, without a question to anybody, for whoever has none. */
export function currentCart(event: Event): Promise<Cart | undefined> {
  const id = cartId(event);
  if (!id) return Promise.resolve(undefined);
  let answer = asked.get(event.locals);
  if (!answer) {
    answer = readCart(id).then(
      (cart) => (cart.completed ? undefined : cart),
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      },
    );
    asked.set(event.locals, answer);
  }
  return answer;
}

/** Puts something into the cart; into a new one where there is none, or what there was is gone or bought. */
export async function addToCart(event: Event, variant: string, quantity: number) {
  const item = { variant_id: variant, quantity };
  const id = cartId(event);
  if (id && (await currentCart(event))) {
    await tell(`/store/carts/${id}/line-items`, item);
    return remember(event, id);
  }
  const { id: region } = await currentRegion(event.cookies);
  const { cart } = await tell<HttpTypes.StoreCartResponse>('/store/carts', { region_id: region, items: [item] });
  remember(event, cart.id);
}

export async function changeLine(cart: string, line: string, quantity: number) {
  const path = `/store/carts/${cart}/line-items/${encodeURIComponent(line)}`;
  if (quantity > 0) await tell(path, { quantity });
  else await remove(path);
}

export async function updateCart(cart: string, change: Record<string, unknown>): Promise<Cart> {
  const path = `/store/carts/${cart}`;
  return plain((await tell<HttpTypes.StoreCartResponse>(path, change)).cart);
}

function plain(cart: HttpTypes.StoreCart): Cart {
  const [method] = cart.shipping_methods ?? [];
  const session = cart.payment_collection?.payment_sessions?.find(({ status }) => status !== 'canceled');
  const all = lines(cart.items ?? []);
  return {
    id: cart.id,
    region: cart.region_id ?? '',
    email: cart.email ?? '',
    lines: all,
    count: all.reduce((sum, { quantity }) => sum + quantity, 0),
    codes: (cart.promotions ?? []).flatMap(({ code }) => code ?? []),
    totals: totals(cart, Boolean(method)),
    address: address(cart.shipping_address),
    shipping: method?.shipping_option_id ? { option: method.shipping_option_id, name: method.name ?? '' } : undefined,
    payment: session?.amount === cart.total ? session.provider_id : undefined,
    completed: Boolean((cart as { completed_at?: string | null }).completed_at),
  };
}
