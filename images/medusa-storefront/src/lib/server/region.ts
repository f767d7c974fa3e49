// The region whose prices a visitor sees: the one chosen, kept in a cookie, else the store's first.
import type { Cookies } from '@sveltejs/kit';
import type { Region } from '#lib/catalogue.ts';
import { regions } from './catalogue.ts';

export const COOKIE = 'region';

export async function currentRegion(cookies: Cookies): Promise<Region> {
  const all = await regions();
  const region = all.find(({ id }) => id === cookies.get(COOKIE)) ?? all[0];
  if (!region) throw new Error('the store has no region: prices cannot be shown');
  return region;
}
