// Middleware of every request: caching rules for pages; failures become a status and a log line.
import type { Handle, HandleServerError } from '@sveltejs/kit/hooks';
import { ApiError } from '#lib/server/api.ts';
import { Busy } from '#lib/server/cache.ts';
import { visitorLanguage } from '#lib/server/language.ts';

/** The policy of answers that are not pages: they may load nothing. */
const closed = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** In addition to our own origin, what Stripe documents for its Payment Element with Link; only for the card page. */
const stripe = [
  "script-src 'self' https://js.stripe.com https://*.js.stripe.com",
  "connect-src 'self' https://api.stripe.com https://link.com https://*.link.com",
  'frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com https://link.com https://*.link.com',
  "img-src 'self' https://*.link.com",
].join('; ');

export const handle: Handle = async ({ event, resolve }) => {
  const language = (event.locals.language = visitorLanguage(event));
  const response = await resolve(event, {
    transformPageChunk: ({ html }) => html.replace('%lang%', language),
  });
  // Prices change, and depend on the region in the visitor's cookie: browsers may cache a page but must revalidate it.
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    response.headers.set('cache-control', 'private, no-cache');
    response.headers.set('speculation-rules', '"/speculation-rules"');
    if (event.route.id?.startsWith('/checkout/card')) {
      // The page must be loaded again even by the back button, to show whether the cart has been paid; it also contains the
      // payment's secret.
      response.headers.set('cache-control', 'no-store');
      if (event.route.id === '/checkout/card' && response.status === 200) {
        const own = response.headers.get('content-security-policy');
        response.headers.set('content-security-policy', `${own}; ${stripe}`);
        // Banks and wallets may open a window.
        if (event.url.protocol === 'https:')
          response.headers.set('cross-origin-opener-policy', 'same-origin-allow-popups');
      }
    }
  } else if (!response.headers.has('content-security-policy')) {
    response.headers.set('content-security-policy', closed);
  }
  if (response.status === 503) response.headers.set('retry-after', '5');
  return response;
};

export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind !== 'unknown') return;
  const status = error instanceof ApiError || error instanceof Busy ? 503 : 500;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const { pathname: path } = event.url;
  const line = { time: new Date().toISOString(), level: 'error', path, message, ...(status === 500 && { stack }) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return { status };
};
