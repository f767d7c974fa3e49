// Readable names of a store's parts.
import { useTranslations } from 'use-intl';

const KNOWN = ['record', 'database', 'api', 'storefront', 'proof-of-life', 'addresses', 'smoke'] as const;

/** `search-index` → `Search index`, if there is no text for it. */
export function humanised(name: string): string {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function usePartName(): (name: string) => string {
  const t = useTranslations('store.part');
  return (name) => {
    const known = KNOWN.find((one) => one === name);
    return known ? t(known) : humanised(name);
  };
}
