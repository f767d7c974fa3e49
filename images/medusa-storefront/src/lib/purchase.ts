// The data of a customer's cart and orders that pages show, a subset of the API's answers.

export interface Line {
  id: string;
  title: string;
  /** The variant's title; empty if the product has only one. */
  variant: string;
  handle?: string;
  picture?: string;
  quantity: number;
  total: number;
}

export interface Address {
  first_name: string;
  last_name: string;
  company: string;
  address_1: string;
  address_2: string;
  postal_code: string;
  city: string;
  province: string;
  country_code: string;
  phone: string;
}

/** Amounts include taxes; `tax` is their share of the total. */
export interface Totals {
  items: number;
  discount: number;
  /** Unknown until a shipping method is chosen. */
  shipping?: number;
  tax: number;
  total: number;
  currency: string;
}

export interface Card {
  /** The last status that Medusa knows. */
  status: string;
  /** Whether its amount is the cart's total. */
  fits: boolean;
  /** The secret with which Stripe's form confirms it. */
  secret?: string;
}

export interface Cart {
  id: string;
  region: string;
  email: string;
  lines: Line[];
  /** The sum of all quantities. */
  count: number;
  codes: string[];
  totals: Totals;
  address?: Address;
  shipping?: { option: string; name: string };
  /** The chosen payment provider, if its session still matches the total. */
  payment?: string;
  /** The current payment by card. */
  card?: Card;
  /** A payment by card exists in addition to another: the API could not cancel it, so it may have been paid. */
  held: boolean;
  completed: boolean;
}

export interface Order {
  id: string;
  number: number;
  email: string;
  status: string;
  lines: Line[];
  totals: Totals;
  address?: Address;
  shipping: string;
}

/** Medusa's manual provider: orders are paid outside of the shop, or not at all. */
export const MANUAL = 'pp_system_default';
/** Cards, through Stripe. */
export const CARD = 'pp_stripe_stripe';

/** The addresses of the checkout's steps, in order. */
export const steps = ['/checkout', '/checkout/shipping', '/checkout/payment', '/checkout/review'] as const;
/** Customers who pay by card review the order on the card page. */
export type Step = (typeof steps)[number] | '/checkout/card';

/** The index of the step. */
export const place = (step: Step) => steps.indexOf(step === '/checkout/card' ? '/checkout/review' : step);

/** The first incomplete step; the last if all are complete. */
export function nextStep(cart: Cart): Step {
  if (!cart.email || !cart.address) return '/checkout';
  if (!cart.shipping) return '/checkout/shipping';
  if (!cart.payment) return '/checkout/payment';
  return cart.payment === CARD ? '/checkout/card' : '/checkout/review';
}
