// Types of the data of every request and every page.
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
