// The visitor's language: the one in the cookie, otherwise the browser's, otherwise the store's.
import { STOREFRONT_SETTINGS } from '$app/env/private';
import type { RequestEvent } from '@sveltejs/kit';
import { languages, type Language } from '#lib/texts/index.ts';

export const COOKIE = 'language';

export const isLanguage = (word: unknown): word is Language => languages.includes(word as Language);

export function visitorLanguage({ cookies, request }: Pick<RequestEvent, 'cookies' | 'request'>): Language {
  const chosen = cookies.get(COOKIE);
  if (isLanguage(chosen)) return chosen;
  const asked = (request.headers.get('accept-language') ?? '')
    .slice(0, 500)
    .split(',')
    .map((range) => {
      const [tag = '', ...rest] = range.split(';').map((part) => part.trim().toLowerCase());
      const quality = rest.find((part) => part.startsWith('q='))?.slice(2) ?? '1';
      return { language: tag.split('-')[0], quality: Number(quality) || 0 };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  return asked.map(({ language }) => language).find(isLanguage) ?? STOREFRONT_SETTINGS.current.locale;
}
