// The texts: ICU messages, the same keys in each language. English where there is no other. What one page alone says is
// in files of its own, which are loaded with it.
import { createTranslator } from 'use-intl';
import type create from './en.create.json';
import en from './en.json';
import type store from './en.store.json';

declare module 'use-intl' {
  interface AppConfig {
    Messages: typeof en & typeof create & typeof store;
  }
}

const languages = { en };
export type Language = keyof typeof languages;

/** The first of the reader's languages that there are texts for. */
export const language: Language =
  navigator.languages
    .map((tag) => tag.split('-')[0] as Language)
    .find((tag) => Object.hasOwn(languages, tag)) ?? 'en';

/** What every page needs; the others' texts are added by PageTexts. */
export const messages = languages[language] as (typeof languages)[Language] & typeof create & typeof store;
/** Dates and numbers follow the reader's own habits as far as they are of the language of the texts. */
export const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

document.documentElement.lang = language;

/** For what is no component. */
export const translate = createTranslator({ locale, messages });
