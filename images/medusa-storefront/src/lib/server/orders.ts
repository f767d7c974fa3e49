// Orders: completing a cart, showing an order by its id, finding one by number and e-mail address.
import type { HttpTypes } from '@medusajs/types';
import type { Line, Order } from '#lib/purchase.ts';
import { address, lines, totals } from './amounts.ts';
import { ApiError, ask, tell } from './api.ts';
import { picture } from './pictures.ts';

/** The longest timeout: the customer must learn the outcome of this request. */
const PATIENCE = 20_000;

/**
 * Completes a cart, and returns the id of its order. This is idempotent: a completed cart returns the same order, so the call
 * can be repeated after any failure. Undefined if the API refuses to complete the cart.
 */
export async function complete(cart: string): Promise<string | undefined> {
  const answer = await tell<HttpTypes.StoreCompleteCartResponse>(`/store/carts/${cart}/complete`, {}, PATIENCE);
  return answer.type === 'order' ? answer.order.id : undefined;
}

/** The same for a cart that may not have been paid, where a refusal is expected. */
export async function completeUnlessRefused(cart: string): Promise<string | undefined> {
  try {
    return await complete(cart);
  } catch (error) {
    if (error instanceof ApiError && error.refused) return undefined;
    throw error;
  }
}

/** The id proves that the visitor may see the order. */
export async function order(id: string): Promise<Order | undefined> {
  if (!/^order_[0-9A-Za-z]{1,64}$/.test(id)) return undefined;
  const found = await unlessUnknown(ask<HttpTypes.StoreOrderResponse>(`/store/orders/${id}`, {}, 10_000));
  if (!found) return undefined;
  const { order } = found;
  return {
    id: order.id,
    number: order.display_id ?? 0,
    email: order.email ?? '',
    status: order.status,
    lines: lines(order.items ?? []),
    totals: totals(order, true),
    address: address(order.shipping_address),
    shipping: order.shipping_methods?.[0]?.name ?? '',
  };
}

export interface Summary {
  number: number;
  status: string;
  placed: string;
  lines: Line[];
  total: number;
  currency: string;
}

interface Looked {
  order: {
    display_id: number;
    status: string;
    created_at: string;
    currency_code: string;
    total: number;
    items: {
      title: string;
      variant_title?: string | null;
      quantity: number;
      total: number;
      thumbnail?: string | null;
    }[];
  };
}

/** Also undefined if the API lacks this route; only urumi's API has it, and it limits failed attempts of a visitor. */
export async function lookUp(number: number, email: string, visitor: string): Promise<Summary | undefined> {
  const found = await unlessUnknown(
    tell<Looked>('/store/orders/lookup', { number, email }, undefined, { 'x-forwarded-for': visitor }),
  );
  if (!found) return undefined;
  const { display_id, status, created_at, currency_code, total, items } = found.order;
  return {
    number: display_id,
    status,
    placed: created_at,
    lines: items.map(({ title, variant_title, quantity, total, thumbnail }, index) => {
      return { id: String(index), title, variant: variant_title ?? '', picture: picture(thumbnail), quantity, total };
    }),
    total,
    currency: currency_code.toUpperCase(),
  };
}

async function unlessUnknown<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
