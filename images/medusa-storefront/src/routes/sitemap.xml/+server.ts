// The pages for search engines: the list, categories, collections and products.
import { STOREFRONT_URL } from '$app/env/private';
import { categories, collections } from '#lib/server/catalogue.ts';
import { handles } from '#lib/server/handles.ts';

export const GET = async () => {
  const [groups, sets, products] = await Promise.all([categories(), collections(), handles()]);
  const paths = [
    '/',
    ...groups.map(({ handle }) => `/?${new URLSearchParams({ category: handle })}`),
    ...sets.map(({ handle }) => `/?${new URLSearchParams({ collection: handle })}`),
    ...products.map((handle) => `/products/${encodeURIComponent(handle)}`),
  ];
  // Of XML's special characters, encodeURIComponent keeps only the apostrophe, which is harmless here.
  const urls = paths.map((path) => `<url><loc>${STOREFRONT_URL}${path}</loc></url>\n`);
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('')}</urlset>
`;
  return new Response(body, { headers: { 'content-type': 'application/xml', 'cache-control': 'public, max-age=600' } });
};
