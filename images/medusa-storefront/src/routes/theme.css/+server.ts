// The store's colours. The URL changes with the content, so browsers may cache it forever.
import { error } from '@sveltejs/kit';
import { theme } from '#lib/server/theme.ts';

export const GET = () => {
  if (!theme) error(404);
  return new Response(theme.body, {
    headers: { 'content-type': 'text/css', 'cache-control': 'public, max-age=31536000, immutable' },
  });
};
