// A product with the variant in the URL, and related products.
import { randomUUID } from 'node:crypto';
import { error } from '@sveltejs/kit';
import { pick, trail } from '#lib/catalogue.ts';
import { categories, product, related } from '#lib/server/catalogue.ts';
import { currentRegion } from '#lib/server/region.ts';
import type { PageServerLoad } from './$types';

/** The form of Medusa's handles; others are not requested. */
const handles = /^[\p{Ll}\p{Lo}\p{Lm}\p{N}]+(?:-[\p{Ll}\p{Lo}\p{Lm}\p{N}]+)*$/u;

export const load: PageServerLoad = async ({ params, url, cookies }) => {
  if (params.handle.length > 255 || !handles.test(params.handle)) error(404);
  const region = await currentRegion(cookies);
  const found = await product(region, params.handle);
  if (!found) error(404);
  // The product is shown even if this fails.
  const [others, groups] = await Promise.all([related(region, found).catch(() => []), categories().catch(() => [])]);
  return {
    product: found,
    variant: pick(found, url.searchParams.get('variant')),
    related: others,
    once: randomUUID(),
    trail: trail(groups, found.category?.id),
  };
};
