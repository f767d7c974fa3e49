// The customer's cart: stored by the API, with its id in a cookie, so that any replica can serve any customer.
import { STOREFRONT_URL, STRIPE_PUBLISHABLE_KEY } from '$app/env/private';
import type { HttpTypes } from '@medusajs/types';
import type { RequestEvent } from '@sveltejs/kit';
import { CARD, type Cart } from '#lib/purchase.ts';
import { address, lines, totals } from './amounts.ts';
import { ApiError, ask, remove, tell } from './api.ts';
import { currentRegion } from './region.ts';

type Event = Pick<RequestEvent, 'cookies' | 'locals'>;

const secure = STOREFRONT_URL.startsWith('https:');
/** The prefix prevents other hosts of the same domain from setting the cookie; browsers accept it over HTTPS only. */
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
  return plain(await rawCart(id));
}

async function rawCart(id: string): Promise<HttpTypes.StoreCart> {
  return (await ask<HttpTypes.StoreCartResponse>(`/store/carts/${id}`, query, 10_000)).cart;
}

const completed = (cart: HttpTypes.StoreCart) => Boolean((cart as { completed_at?: string | null }).completed_at);

const asked = new WeakMap<App.Locals, Promise<Cart | undefined>>();

/** The visitor's cart, read once per request. Undefined, without a request to the API, for visitors without a cart cookie. */
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

/** How many form tokens a line keeps; customers do not resend older forms. */
const REMEMBERED = 20;

type Item = HttpTypes.StoreCartLineItem;
/** The tokens of the forms that were added to this line. */
const formsOf = ({ metadata }: Item) => (Array.isArray(metadata?.added) ? (metadata.added as unknown[]) : []);

/** Serialises the changes of a cart. */
const queues = new Map<string, Promise<unknown>>();
export function inTurn<T>(cart: string, act: () => Promise<T>): Promise<T> {
  const turn = (queues.get(cart) ?? Promise.resolve()).then(act, act);
  const done = turn.then(
    () => {},
    () => {},
  );
  queues.set(cart, done);
  void done.then(() => queues.get(cart) === done && queues.delete(cart));
  return turn;
}

/**
 * Adds a variant to the cart, or to a new cart if there is none, or if the cart is gone or bought. `form` is the token of
 * the form that was sent: each form is added once, however often it is sent. Returns whether it had been added before.
 *
 * A line keeps the tokens of its forms in its metadata. Medusa merges only lines with equal metadata; therefore this sets
 * the new quantity of an existing line, so that a variant stays one line. Within a process, requests for the same cart run
 * one after the other, and each reads the cart again. Between replicas they may run at the same time; then the customer
 * gets rather too little than too much. Of two different forms one may be lost, which the cart shows. The same form twice
 * sets the same quantity; if it creates the line, Medusa adds both quantities, and this corrects the sum from Medusa's
 * answer. Two forms without a cart create two carts, of which the browser keeps one.
 */
export async function addToCart(event: Event, variant: string, quantity: number, form?: string): Promise<boolean> {
  const item = { variant_id: variant, quantity, ...(form && { metadata: { added: [form] } }) };
  const id = cartId(event);
  const again = id && (await inTurn(id, () => addTo(id, item, form)));
  if (id && again !== undefined) {
    remember(event, id);
    return again === true;
  }
  const { id: region } = await currentRegion(event.cookies);
  const { cart } = await tell<HttpTypes.StoreCartResponse>('/store/carts', { region_id: region, items: [item] });
  remember(event, cart.id);
  return false;
}

/** Undefined if the cart is gone or bought. */
async function addTo(
  id: string,
  item: { variant_id: string; quantity: number },
  form: string | undefined,
): Promise<boolean | undefined> {
  const cart = await rawCart(id).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  if (!cart || completed(cart)) return undefined;
  const items = cart.items ?? [];
  if (form && items.some((line) => formsOf(line).includes(form))) return true;
  // Lines with other metadata, written by other programs, stay separate.
  const line = items.find(({ variant_id, metadata }) => {
    return variant_id === item.variant_id && Object.keys(metadata ?? {}).every((key) => key === 'added');
  });
  const lines = `/store/carts/${id}/line-items`;
  if (line) {
    const metadata = form && { added: [...formsOf(line), form].slice(-REMEMBERED) };
    await tell(`${lines}/${line.id}`, { quantity: line.quantity + item.quantity, ...(metadata && { metadata }) });
    return false;
  }
  const { cart: after } = await tell<HttpTypes.StoreCartResponse>(lines, item);
  const begun = form && after.items?.find((one) => formsOf(one).length === 1 && formsOf(one)[0] === form);
  if (begun && begun.quantity > item.quantity) await tell(`${lines}/${begun.id}`, { quantity: item.quantity });
  return false;
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

const text = (given: unknown) => (typeof given === 'string' ? given : undefined);

function plain(cart: HttpTypes.StoreCart): Cart {
  const [method] = cart.shipping_methods ?? [];
  // Medusa completes no cart without this.
  const sessions = (cart.payment_collection?.payment_sessions ?? []).filter(
    ({ status }) => status !== 'canceled' && status !== 'error',
  );
  const [session] = sessions;
  const alone = sessions.length === 1;
  const fits = session?.amount === cart.total;
  const card = alone && session?.provider_id === CARD ? session : undefined;
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
    payment: alone && fits && (!card || STRIPE_PUBLISHABLE_KEY) ? session?.provider_id : undefined,
    card: card && { status: card.status, fits, secret: text(card.data?.client_secret) },
    held: !alone && sessions.some(({ provider_id }) => provider_id === CARD),
    completed: completed(cart),
  };
}
