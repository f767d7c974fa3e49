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

/** The steps of a checkout, in order, by their addresses. */
export const steps = ['/checkout', '/checkout/shipping', '/checkout/payment', '/checkout/review'] as const;
export type Step = (typeof steps)[number];

/** The first step that still needs something; the review, if none does. */
export function nextStep(cart: Cart): Step {
  if (!cart.email || !cart.address) return '/checkout';
  if (!cart.shipping) return '/checkout/shipping';
  if (!cart.payment) return '/checkout/payment';
  return '/checkout/review';
}
