// The texts: one file a language, with the same keys (ICU messages). English where there is no other.
import { createTranslator } from 'use-intl';
import en from './en.json';

declare module 'use-intl' {
  interface AppConfig {
    Messages: typeof en;
  }
}

const languages = { en };
type Language = keyof typeof languages;

/** The first of the reader's languages that there are texts for. */
const language: Language =
  navigator.languages
    .map((tag) => tag.split('-')[0] as Language)
    .find((tag) => Object.hasOwn(languages, tag)) ?? 'en';

export const messages = languages[language];
/** Dates and numbers follow the reader's own habits as far as they are of the language of the texts. */
export const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

document.documentElement.lang = language;

/** For what is no component. */
export const translate = createTranslator({ locale, messages });
