// The data of the frame around every page. It must load even if the API is down, because error pages have the same frame.
import { setTimeout } from 'node:timers/promises';
import { STOREFRONT_URL } from '$app/env/private';
import { categories, collections, regions } from '#lib/server/catalogue.ts';
import { appearance } from '#lib/server/theme.ts';
import { currentCart } from '#lib/server/cart.ts';
import { currentRegion } from '#lib/server/region.ts';
import type { LayoutServerLoad } from './$types';

/** How long pages other than the cart's wait for the cart. */
const patience = () => setTimeout(2000, undefined, { ref: false });

export const load: LayoutServerLoad = async ({ cookies, locals }) => {
  const [groups, sets, all, region, cart] = await Promise.all([
    categories().catch(() => []),
    collections().catch(() => []),
    regions().catch(() => []),
    currentRegion(cookies).catch(() => undefined),
    Promise.race([currentCart({ cookies, locals }).catch(() => undefined), patience()]),
  ]);
  const { settings, logo, theme } = appearance();
  return {
    language: locals.language,
    store: settings.name,
    origin: STOREFRONT_URL,
    categories: groups,
    collections: sets,
    regions: all,
    region: region?.id,
    logo: logo && `/logo?v=${logo.tag}`,
    theme: theme && `/theme.css?v=${theme.tag}`,
    robots: settings.robots,
    cart,
    footerLinks: settings.footerLinks,
  };
};
