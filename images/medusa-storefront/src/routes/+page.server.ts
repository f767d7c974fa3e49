// The list of products, page by page; filtered by search words, a category with its subcategories, and a collection, in any
// combination.
import { error } from '@sveltejs/kit';
import { sorts, type Category, type Sort } from '#lib/catalogue.ts';
import { categories, collections, PAGE_SIZE, products } from '#lib/server/catalogue.ts';
import { currentRegion } from '#lib/server/region.ts';
import type { PageServerLoad } from './$types';

function below(all: Category[], id: string): string[] {
  const found = [id];
  // The list grows during the iteration, until all subcategories are in it.
  for (const parent of found) {
    for (const category of all) if (category.parent === parent && !found.includes(category.id)) found.push(category.id);
  }
  return found;
}

/** The maximum length of the search words. */
const QUESTION = 100;

export const load: PageServerLoad = async ({ url, cookies }) => {
  const number = url.searchParams.get('page') ?? '1';
  if (!/^[1-9]\d{0,4}$/.test(number)) error(400);
  const page = Number(number);
  const sort = (url.searchParams.get('sort') ?? 'newest') as Sort;
  if (!sorts.includes(sort)) error(400);
  const asked = (url.searchParams.get('q') ?? '').replace(/[\s\p{Cc}]+/gu, ' ').trim();
  const q = [...asked].slice(0, QUESTION).join('') || undefined;

  const region = currentRegion(cookies);
  const [category, collection] = await Promise.all([
    find(url.searchParams.get('category'), categories),
    find(url.searchParams.get('collection'), collections),
  ]);
  const { cards, count } = await products(await region, {
    category: category && below(await categories(), category.id),
    collection: collection?.id,
    q,
    sort,
    page,
  });
  const pages = Math.max(1, Math.ceil(count / PAGE_SIZE));
  if (page > pages) error(404);
  return { cards, count, page, pages, category, collection, q, sort };
};

async function find<T extends { handle: string }>(handle: string | null, all: () => Promise<T[]>) {
  if (handle === null) return undefined;
  return (await all()).find((one) => one.handle === handle) ?? error(404);
}
