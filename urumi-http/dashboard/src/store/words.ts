// Names of what a store is made of, for people.
import { useTranslations } from 'use-intl';

const KNOWN = ['record', 'database', 'api', 'storefront', 'proof-of-life', 'addresses', 'smoke'] as const;

/** `search-index` → `Search index`, where nobody has named it yet. */
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
