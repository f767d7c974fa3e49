// The common parts of carts and orders: lines, totals, an address.
import type { Address, Line, Totals } from '#lib/purchase.ts';
import { picture } from './pictures.ts';

interface Item {
  id: string;
  title: string;
  product_title?: string | null;
  product_handle?: string | null;
  variant_title?: string | null;
  thumbnail?: string | null;
  quantity: number;
  unit_price: number;
  original_total?: number;
}

export function lines(items: Item[]): Line[] {
  return items
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((item) => ({
      id: item.id,
      title: item.product_title ?? item.title,
      variant: item.variant_title ?? '',
      handle: item.product_handle ?? undefined,
      picture: picture(item.thumbnail),
      quantity: item.quantity,
      total: item.original_total ?? item.unit_price * item.quantity,
    }));
}

interface Sums {
  original_item_total?: number;
  item_total?: number;
  discount_total?: number;
  original_shipping_total?: number;
  shipping_total?: number;
  tax_total?: number;
  total?: number;
  currency_code: string;
}

export function totals(of: Sums, shipped: boolean): Totals {
  return {
    items: of.original_item_total ?? of.item_total ?? 0,
    discount: of.discount_total ?? 0,
    shipping: shipped ? (of.original_shipping_total ?? of.shipping_total ?? 0) : undefined,
    tax: of.tax_total ?? 0,
    total: of.total ?? 0,
    currency: of.currency_code.toUpperCase(),
  };
}

export function address(found: Partial<Record<keyof Address, string | null>> | null | undefined): Address | undefined {
  if (!found?.first_name || !found.last_name || !found.address_1 || !found.city || !found.country_code)
    return undefined;
  const text = (name: keyof Address) => found[name] ?? '';
  return {
    first_name: text('first_name'),
    last_name: text('last_name'),
    company: text('company'),
    address_1: text('address_1'),
    address_2: text('address_2'),
    postal_code: text('postal_code'),
    city: text('city'),
    province: text('province'),
    country_code: text('country_code'),
    phone: text('phone'),
  };
}
