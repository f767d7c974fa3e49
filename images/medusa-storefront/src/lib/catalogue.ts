// The data of the catalogue that pages show, a subset of the API's answers.

export interface Region {
  id: string;
  name: string;
  currency: string;
  /** The countries of delivery, as ISO 3166 codes in lower case. */
  countries: string[];
}

export interface Category {
  id: string;
  handle: string;
  name: string;
  description: string;
  parent: string | null;
}

export interface Collection {
  id: string;
  handle: string;
  title: string;
}

export interface Price {
  amount: number;
  /** The price before a reduction, if there is one. */
  before?: number;
  currency: string;
}

export interface Card {
  handle: string;
  title: string;
  subtitle: string;
  picture?: string;
  price?: Price;
  /** Whether the variants' prices differ; `price` is the lowest. */
  from: boolean;
  soldOut: boolean;
}

export interface Variant {
  id: string;
  title: string;
  sku: string;
  price?: Price;
  soldOut: boolean;
  /** The stock, if it is low enough to show. */
  left?: number;
  /** Option id → value. */
  options: Record<string, string>;
}

export interface Product {
  handle: string;
  title: string;
  subtitle: string;
  description: string;
  /** Whether the description is cut. */
  cut: boolean;
  material: string;
  pictures: string[];
  category?: { id: string; handle: string; name: string };
  collection?: Collection;
  options: { id: string; title: string; values: string[] }[];
  variants: Variant[];
}

export const sorts = ['newest', 'name'] as const;
export type Sort = (typeof sorts)[number];

/** The path to a category: its ancestors from the top, then itself. */
export function trail(all: Category[], id: string | undefined): Category[] {
  const found: Category[] = [];
  for (let next = all.find((one) => one.id === id); next && !found.includes(next);) {
    found.unshift(next);
    const { parent } = next;
    next = all.find((one) => one.id === parent);
  }
  return found;
}

/** The variant to show: the requested one, otherwise the first that can be bought, otherwise the first. */
export function pick(product: Product, id: string | null): Variant | undefined {
  return (
    product.variants.find((variant) => variant.id === id) ??
    product.variants.find((variant) => !variant.soldOut) ??
    product.variants[0]
  );
}

/** The variant after a change of one option of `current`: the one that keeps most of the other options. */
export function other(product: Product, current: Variant, option: string, value: string): Variant | undefined {
  let best: Variant | undefined;
  let kept = -1;
  for (const variant of product.variants) {
    if (variant.options[option] !== value) continue;
    const same = product.options.filter(({ id }) => variant.options[id] === current.options[id]).length;
    if (same > kept) [best, kept] = [variant, same];
  }
  return best;
}
