// What every page shows around its content. It must load without the API too: error pages stand in the same frame.
import { STORE_NAME, STOREFRONT_SETTINGS, STOREFRONT_URL } from '$app/env/private';
import { categories, collections, regions } from '#lib/server/catalogue.ts';
import { logo, theme } from '#lib/server/theme.ts';
import { currentRegion } from '#lib/server/region.ts';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = async ({ cookies, locals }) => {
  const [groups, sets, all, region] = await Promise.all([
    categories().catch(() => []),
    collections().catch(() => []),
    regions().catch(() => []),
    currentRegion(cookies).catch(() => undefined),
  ]);
  return {
    language: locals.language,
    store: STORE_NAME,
    origin: STOREFRONT_URL,
    categories: groups,
    collections: sets,
    regions: all,
    region: region?.id,
    logo: logo && `/logo?v=${logo.tag}`,
    theme: theme && `/theme.css?v=${theme.tag}`,
    robots: STOREFRONT_SETTINGS.robots,
    footerLinks: STOREFRONT_SETTINGS.footerLinks,
  };
};
