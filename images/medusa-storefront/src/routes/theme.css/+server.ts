// The store's own colours. The address changes with the content, so that browsers may keep it for good.
import { error } from '@sveltejs/kit';
import { theme } from '#lib/server/theme.ts';

export const GET = () => {
  if (!theme) error(404);
  return new Response(theme.body, {
    headers: { 'content-type': 'text/css', 'cache-control': 'public, max-age=31536000, immutable' },
  });
};
