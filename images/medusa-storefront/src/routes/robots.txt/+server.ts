// What search engines may read: all public pages, or nothing if the settings say so.
import { STOREFRONT_SETTINGS, STOREFRONT_URL } from '$app/env/private';

const closed = ['/'];
// The cart's page need not be excluded: without a visitor it is empty.
const open = ['/region', '/language', '/checkout', '/orders'];

export const GET = () => {
  const paths = STOREFRONT_SETTINGS.current.robots === 'noindex' ? closed : open;
  const lines = ['User-agent: *', ...paths.map((path) => `Disallow: ${path}`)];
  return new Response(`${lines.join('\n')}\n\nSitemap: ${STOREFRONT_URL}/sitemap.xml\n`, {
    headers: { 'content-type': 'text/plain' },
  });
};
