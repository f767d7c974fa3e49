// The texts: ICU messages with the same keys in each language. English is the fallback. The texts of a single page are in
// separate files, which are loaded with the page.
import { createTranslator } from 'use-intl';
import type create from './en.create.json';
import en from './en.json';
import type options from './en.options.json';
import type store from './en.store.json';

declare module 'use-intl' {
  interface AppConfig {
    Messages: typeof en & typeof create & typeof options & typeof store;
  }
}

const languages = { en };
export type Language = keyof typeof languages;

/** The first of the reader's languages with texts. */
export const language: Language =
  navigator.languages
    .map((tag) => tag.split('-')[0] as Language)
    .find((tag) => Object.hasOwn(languages, tag)) ?? 'en';

/** The texts of every page; PageTexts adds those of single pages. */
export const messages = languages[language] as (typeof languages)[Language] &
  typeof create &
  typeof options &
  typeof store;
/** Dates and numbers use the reader's locale if it has the language of the texts. */
export const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

document.documentElement.lang = language;

/** For code outside of components. */
export const translate = createTranslator({ locale, messages });
