// The languages of the storefront and their formats of prices. To add one, write a file like en.ts (of the type `Texts`) and
// add it to `all`; settings, footer and Accept-Language use that list.
import type { Price } from '../catalogue.ts';
import { de } from './de.ts';
import { en, type Texts } from './en.ts';

const all = { en, de } satisfies Record<string, Texts>;

export type Language = keyof typeof all;
export const languages = Object.keys(all) as Language[];

/** The texts of the page's language: components pass `page.data.language`. */
export const texts = (language: Language): Texts => all[language];

const formats = new Map<string, Intl.NumberFormat>();

export function money(amount: Price['amount'], currency: Price['currency'], language: Language): string {
  const key = `${language} ${currency}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, { style: 'currency', currency });
    formats.set(key, format);
  }
  return format.format(amount);
}

export function country(code: string, language: Language): string {
  return new Intl.DisplayNames(language, { type: 'region' }).of(code.toUpperCase()) ?? code.toUpperCase();
}
