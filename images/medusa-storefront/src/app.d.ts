// What every request and every page knows beside SvelteKit's own.
import type { Language } from '#lib/texts/index.ts';

declare global {
  namespace App {
    interface Locals {
      language: Language;
    }
    interface PageData {
      language: Language;
      robots: 'index' | 'noindex';
    }
  }
}
