// The store's colours. The URL of pages changes with the content, so browsers may cache it forever.
import { error } from '@sveltejs/kit';
import { appearance, caching } from '#lib/server/theme.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ url }) => {
  const { theme } = appearance();
  if (!theme) error(404);
  return new Response(theme.body, {
    headers: {
      'content-type': 'text/css',
      'cache-control': caching(url, theme.tag, 'public, max-age=31536000, immutable'),
    },
  });
};
