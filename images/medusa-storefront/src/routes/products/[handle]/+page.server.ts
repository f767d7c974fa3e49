// One product, with the variant that the address asks for, and what else there is like it.
import { randomUUID } from 'node:crypto';
import { error } from '@sveltejs/kit';
import { pick, trail } from '#lib/catalogue.ts';
import { categories, product, related } from '#lib/server/catalogue.ts';
import { currentRegion } from '#lib/server/region.ts';
import type { PageServerLoad } from './$types';

/** What Medusa accepts as a handle: nothing else can be one, and need not be asked for. */
const handles = /^[\p{Ll}\p{Lo}\p{Lm}\p{N}]+(?:-[\p{Ll}\p{Lo}\p{Lm}\p{N}]+)*$/u;

export const load: PageServerLoad = async ({ params, url, cookies }) => {
  if (params.handle.length > 255 || !handles.test(params.handle)) error(404);
  const region = await currentRegion(cookies);
  const found = await product(region, params.handle);
  if (!found) error(404);
  // What surrounds the product must not keep it from being shown.
  const [others, groups] = await Promise.all([related(region, found).catch(() => []), categories().catch(() => [])]);
  return {
    product: found,
    variant: pick(found, url.searchParams.get('variant')),
    related: others,
    once: randomUUID(),
    trail: trail(groups, found.category?.id),
  };
};
