// The region that determines a visitor's prices: the one in the cookie, otherwise the first with the currency of the
// settings, otherwise the store's first.
import { STOREFRONT_SETTINGS } from '$app/env/private';
import type { Cookies } from '@sveltejs/kit';
import type { Region } from '#lib/catalogue.ts';
import { regions } from './catalogue.ts';

export const COOKIE = 'region';

export async function currentRegion(cookies: Cookies): Promise<Region> {
  const all = await regions();
  const settings = STOREFRONT_SETTINGS.current;
  const region =
    all.find(({ id }) => id === cookies.get(COOKIE)) ??
    all.find(({ currency }) => currency === settings.currency) ??
    all[0];
  if (!region) throw new Error('the store has no region: prices cannot be shown');
  return region;
}
