// Maps pictures' URLs: visitors load pictures only from the storefront's own origin.
import { MEDUSA_BACKEND_URL, MEDUSA_PUBLIC_URL } from '$app/env/private';

const prefix = '/static/';

/**
 * The path on our own origin of a picture of the API. Pictures on other hosts have none, because the pages'
 * Content-Security-Policy does not allow them.
 */
export function picture(url: string | null | undefined): string | undefined {
  if (!url) return undefined;
  for (const base of [MEDUSA_PUBLIC_URL, MEDUSA_BACKEND_URL, '']) {
    if (url.startsWith(base + prefix)) return url.slice(base.length);
  }
  return undefined;
}

/**
 * The API's path of the picture at `path` (already decoded); undefined if it cannot be a picture. The API's private files in
 * the same folder have names that begin with `private-`.
 */
export function upstream(path: string): string | undefined {
  const segments = path.split('/');
  const bad = (segment: string) =>
    segment === '' || segment.startsWith('.') || segment.startsWith('private-') || /[\\%\p{Cc}]/u.test(segment);
  return segments.some(bad) ? undefined : prefix + segments.map(encodeURIComponent).join('/');
}
