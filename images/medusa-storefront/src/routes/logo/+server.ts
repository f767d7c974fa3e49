// The store's logo.
import { error } from '@sveltejs/kit';
import { appearance, caching } from '#lib/server/theme.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ request, url }) => {
  const { logo } = appearance();
  if (!logo) error(404);
  const etag = `"${logo.tag}"`;
  const known = request.headers.get('if-none-match') === etag;
  return new Response(known ? null : logo.body, {
    status: known ? 304 : 200,
    headers: {
      'content-type': logo.type,
      etag,
      'cache-control': caching(url, logo.tag, 'public, max-age=3600'),
      // An SVG may contain scripts, which must not run in the shop's origin.
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    },
  });
};
