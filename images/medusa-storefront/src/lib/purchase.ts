// What pages show of a customer's cart and orders: plain data, cut down from the API's answers.

export interface Line {
  id: string;
  title: string;
  /** The variant's title; empty where the product has only one. */
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

/** Amounts include taxes; `tax` says how much of the total they are. */
export interface Totals {
  items: number;
  discount: number;
  /** Unknown until a way of shipping is chosen. */
  shipping?: number;
  tax: number;
  total: number;
  currency: string;
}

export interface Card {
  /** As Medusa has learned it last. */
  status: string;
  /** Whether it is about the cart's total. */
  fits: boolean;
  /** With which Stripe's own form confirms it. */
  secret?: string;
}

export interface Cart {
  id: string;
  region: string;
  email: string;
  lines: Line[];
  /** How many things are in it. */
  count: number;
  codes: string[];
  totals: Totals;
  address?: Address;
  shipping?: { option: string; name: string };
  /** The payment provider that was chosen and still fits the total. */
  payment?: string;
  /** The one payment by card that is under way. */
  card?: Card;
  /** A payment by card is under way beside another one: the API could not take it back, so it may have been paid. */
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

/** Medusa's own, by which an order is paid outside of the shop, or not at all. */
export const MANUAL = 'pp_system_default';
/** Cards, by Stripe. */
export const CARD = 'pp_stripe_stripe';

/** The steps of a checkout, in order, by their addresses. */
export const steps = ['/checkout', '/checkout/shipping', '/checkout/payment', '/checkout/review'] as const;
/** Whoever pays by card reviews the order where the card is entered. */
export type Step = (typeof steps)[number] | '/checkout/card';

/** Which of the steps it is. */
export const place = (step: Step) => steps.indexOf(step === '/checkout/card' ? '/checkout/review' : step);

/** The first step that still needs something; the last, if none does. */
export function nextStep(cart: Cart): Step {
  if (!cart.email || !cart.address) return '/checkout';
  if (!cart.shipping) return '/checkout/shipping';
  if (!cart.payment) return '/checkout/payment';
  return cart.payment === CARD ? '/checkout/card' : '/checkout/review';
}
