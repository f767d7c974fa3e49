// The result of a payment by card, when the customer comes back from Stripe: possibly several times and in several tabs.
import { ApiError } from './api.ts';
import { readCart } from './cart.ts';
import { isOpen } from './checkout.ts';
import { complete } from './orders.ts';
import { note } from './trouble.ts';

/** Why there is no order yet. */
export type Unsettled =
  'pending' | 'requires_more' | 'declined' | 'changed' | 'stock' | 'refused' | 'held' | 'unknown' | 'gone';

/**
 * Completes a cart that has been paid by card. Medusa asks Stripe for the result, independent of the page's address, and
 * creates one order per cart, so this can be repeated. Does not complete carts with other payment methods.
 */
export async function settle(id: string): Promise<{ order: string } | { state: Unsettled }> {
  try {
    const cart = await readCart(id);
    if (!cart.completed) {
      if (cart.held) return { state: 'held' };
      if (!cart.card) return { state: cart.payment ? 'gone' : 'declined' };
      if (!cart.card.fits) return { state: 'changed' };
    }
    let reason = '';
    try {
      const order = await complete(id);
      if (order) return { order };
    } catch (error) {
      if (!(error instanceof ApiError && error.refused)) throw error;
      note(error);
      reason = error.message;
    }
    const after = await readCart(id);
    // A concurrent request was faster; the next attempt finds the order.
    if (after.completed) return { state: 'unknown' };
    if (/inventory|stock/i.test(reason)) return { state: 'stock' };
    if (!after.card) return { state: 'declined' };
    // The refusal is not about the payment; its result is unknown.
    if (reason && !/authoriz|payment session/i.test(reason)) return { state: 'refused' };
    if (isOpen(after)) return { state: after.card.status === 'pending' ? 'pending' : 'requires_more' };
    return { state: 'refused' };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) return { state: 'gone' };
    note(error);
    return { state: 'unknown' };
  }
}
