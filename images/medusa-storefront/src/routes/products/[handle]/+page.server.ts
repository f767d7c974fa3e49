// One product, with the variant that the address asks for.
import { error } from '@sveltejs/kit';
import { pick } from '#lib/catalogue.ts';
import { product } from '#lib/server/catalogue.ts';
import { currentRegion } from '#lib/server/region.ts';
import type { PageServerLoad } from './$types';

/** What Medusa accepts as a handle: nothing else can be one, and need not be asked for. */
const handles = /^[\p{Ll}\p{Lo}\p{Lm}\p{N}]+(?:-[\p{Ll}\p{Lo}\p{Lm}\p{N}]+)*$/u;

export const load: PageServerLoad = async ({ params, url, cookies }) => {
  if (params.handle.length > 255 || !handles.test(params.handle)) error(404);
  const found = await product(await currentRegion(cookies), params.handle);
  if (!found) error(404);
  return { product: found, variant: pick(found, url.searchParams.get('variant')) };
};
