// Reads the fields of the catalogue that pages show from the API, through a short-lived cache.
import type { HttpTypes } from '@medusajs/types';
import type { Card, Category, Collection, Price, Product, Region, Sort, Variant } from '#lib/catalogue.ts';
import { cut } from '#lib/cut.ts';
import { ask } from './api.ts';
import { Cache } from './cache.ts';
import { picture } from './pictures.ts';

export const PAGE_SIZE = 12;

/** The stock up to which pages show the number. */
const FEW = 5;
/** How much of a text a page shows, in UTF-16 units: texts of a catalogue may have megabytes. */
const LONG = 20_000;
const SHORT = 300;

const short = (text: string | null | undefined) => cut(text ?? '', SHORT);

const cache = new Cache({ fresh: 3_000, stale: 30_000, size: 500, pending: 64 });

/** For data that rarely changes, used also while the API is down: the address form of the checkout needs it. */
const lasting = new Cache({ fresh: 3_000, stale: 24 * 3600_000, size: 1, pending: 1 });

/** In the order of their creation (ids begin with the time): visitors start in the first. */
export function regions(): Promise<Region[]> {
  return lasting.get('regions', async () => {
    const query = { fields: 'id,name,currency_code,countries.iso_2', limit: 100, order: 'id' };
    const { regions } = await ask<HttpTypes.StoreRegionListResponse>('/store/regions', query);
    return regions.map(({ id, name, currency_code, countries }) => {
      const codes = (countries ?? []).flatMap(({ iso_2 }) => iso_2 ?? []);
      return { id, name, currency: currency_code.toUpperCase(), countries: codes };
    });
  });
}

export function categories(): Promise<Category[]> {
  return cache.get('categories', async () => {
    const query = { fields: 'id,name,handle,description,parent_category_id,rank', limit: 100 };
    const answer = await ask<HttpTypes.StoreProductCategoryListResponse>('/store/product-categories', query);
    return answer.product_categories
      .toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
      .map(({ id, name, handle, description, parent_category_id }) => {
        return { id, name: short(name), handle, description: cut(description ?? '', LONG), parent: parent_category_id };
      });
  });
}

export function collections(): Promise<Collection[]> {
  return cache.get('collections', async () => {
    const query = { fields: 'id,title,handle', limit: 100 };
    const answer = await ask<HttpTypes.StoreCollectionListResponse>('/store/collections', query);
    return answer.collections.map(({ id, title, handle }) => ({ id, title: short(title), handle }));
  });
}

export interface Filter {
  category?: string[];
  collection?: string;
  q?: string;
  sort: Sort;
  page: number;
}

export function products(region: Region, filter: Filter): Promise<{ cards: Card[]; count: number }> {
  return cache.get(`list ${JSON.stringify([region.id, filter])}`, async () => {
    const answer = await ask<HttpTypes.StoreProductListResponse>('/store/products', {
      fields: [
        'id,handle,title,subtitle,thumbnail,variants.id,variants.manage_inventory,variants.allow_backorder',
        '*variants.calculated_price,+variants.inventory_quantity',
      ].join(),
      region_id: region.id,
      category_id: filter.category,
      collection_id: filter.collection,
      q: filter.q,
      limit: PAGE_SIZE,
      offset: (filter.page - 1) * PAGE_SIZE,
      // Newest first. Ids begin with the time and, unlike dates, are never equal, so that no product is on two pages.
      order: filter.sort === 'name' ? 'title' : '-id',
    });
    return { cards: answer.products.map((product) => card(product, region)), count: answer.count };
  });
}

export function product(region: Region, handle: string): Promise<Product | undefined> {
  return cache.get(`product ${region.id} ${handle}`, async () => {
    const answer = await ask<HttpTypes.StoreProductListResponse>('/store/products', {
      fields: '*variants.calculated_price,+variants.inventory_quantity,*categories',
      region_id: region.id,
      handle,
      limit: 1,
    });
    const [found] = answer.products;
    return found && detail(found, region);
  });
}

/** Up to four other products of the same category. */
export async function related(region: Region, { handle, category }: Product): Promise<Card[]> {
  if (!category) return [];
  const { cards } = await products(region, { category: [category.id], sort: 'newest', page: 1 });
  return cards.filter((card) => card.handle !== handle).slice(0, 4);
}

function price({ calculated_price: calculated }: HttpTypes.StoreProductVariant, region: Region): Price | undefined {
  if (typeof calculated?.calculated_amount !== 'number') return undefined;
  const { calculated_amount: amount, original_amount: before, currency_code } = calculated;
  return {
    amount,
    ...(before && before > amount && { before }),
    currency: currency_code?.toUpperCase() ?? region.currency,
  };
}

function soldOut({ manage_inventory, allow_backorder, inventory_quantity }: HttpTypes.StoreProductVariant): boolean {
  return Boolean(manage_inventory) && !allow_backorder && (inventory_quantity ?? 0) <= 0;
}

function left(variant: HttpTypes.StoreProductVariant): number | undefined {
  const { manage_inventory, allow_backorder, inventory_quantity: quantity } = variant;
  return manage_inventory && !allow_backorder && quantity && quantity > 0 && quantity <= FEW ? quantity : undefined;
}

function card(product: HttpTypes.StoreProduct, region: Region): Card {
  const variants = product.variants ?? [];
  const prices = variants.flatMap((variant) => price(variant, region) ?? []).sort((a, b) => a.amount - b.amount);
  return {
    handle: product.handle,
    title: short(product.title),
    subtitle: short(product.subtitle),
    picture: picture(product.thumbnail),
    price: prices[0],
    from: prices.at(-1)?.amount !== prices[0]?.amount,
    soldOut: variants.every(soldOut),
  };
}

function detail(product: HttpTypes.StoreProduct, region: Region): Product {
  const pictures = (product.images ?? []).toSorted((a, b) => a.rank - b.rank).map(({ url }) => picture(url));
  const variants = (product.variants ?? []).map((variant): Variant => {
    const options = (variant.options ?? []).flatMap(({ option_id, value }) => (option_id ? [[option_id, value]] : []));
    return {
      id: variant.id,
      title: variant.title ?? '',
      sku: variant.sku ?? '',
      price: price(variant, region),
      soldOut: soldOut(variant),
      left: left(variant),
      options: Object.fromEntries(options),
    };
  });
  const [category] = product.categories ?? [];
  return {
    handle: product.handle,
    title: short(product.title),
    subtitle: short(product.subtitle),
    description: cut(product.description ?? '', LONG),
    cut: (product.description?.length ?? 0) > LONG,
    material: short(product.material),
    pictures: [...new Set([picture(product.thumbnail), ...pictures].filter((path) => path !== undefined))],
    category: category && { id: category.id, handle: category.handle, name: short(category.name) },
    collection: product.collection
      ? { id: product.collection.id, handle: product.collection.handle, title: short(product.collection.title) }
      : undefined,
    options: (product.options ?? []).map(({ id, title, values }) => {
      const named = (values ?? []).map(({ value }) => value);
      return { id, title, values: named.filter((value) => variants.some(({ options }) => options[id] === value)) };
    }),
    variants,
  };
}
