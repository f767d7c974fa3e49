// Pictures reach visitors only through the storefront's own origin: what a picture's URL becomes on a page.
import { MEDUSA_BACKEND_URL, MEDUSA_PUBLIC_URL } from '$app/env/private';

const prefix = '/static/';

/**
 * The path on our own origin of a picture that the API serves. Pictures that live elsewhere have none: the pages'
 * Content-Security-Policy would not let a browser load them.
 */
export function picture(url: string | null | undefined): string | undefined {
  if (!url) return undefined;
  for (const base of [MEDUSA_PUBLIC_URL, MEDUSA_BACKEND_URL, '']) {
    if (url.startsWith(base + prefix)) return url.slice(base.length);
  }
  return undefined;
}

/**
 * The API's path of a picture asked for by `path` (already decoded), or nothing if it cannot be one. Files that the API
 * keeps beside its pictures for its own use have a name that begins with `private-`.
 */
export function upstream(path: string): string | undefined {
  const segments = path.split('/');
  const bad = (segment: string) =>
    segment === '' || segment.startsWith('.') || segment.startsWith('private-') || /[\\%\p{Cc}]/u.test(segment);
  return segments.some(bad) ? undefined : prefix + segments.map(encodeURIComponent).join('/');
}
