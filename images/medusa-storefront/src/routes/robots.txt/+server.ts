// What search engines may read: everything that is not a visitor's own, or nothing if the store wants it so.
import { STOREFRONT_SETTINGS, STOREFRONT_URL } from '$app/env/private';

const closed = ['/'];
// A cart without a visitor is an empty page: nothing is gained by hiding it.
const open = ['/region', '/language', '/checkout', '/orders'];

export const GET = () => {
  const paths = STOREFRONT_SETTINGS.robots === 'noindex' ? closed : open;
  const lines = ['User-agent: *', ...paths.map((path) => `Disallow: ${path}`)];
  return new Response(`${lines.join('\n')}\n\nSitemap: ${STOREFRONT_URL}/sitemap.xml\n`, {
    headers: { 'content-type': 'text/plain' },
  });
};
