// The options that matter most to shop owners, with simple texts if there are any.
import { SimpleGrid } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { FieldInput } from './FieldInput';
import type { Scope } from './messages';
import type { Leaf } from './schema';

export function FirstOptions({ leaves, scope }: { leaves: Leaf[]; scope: Scope }) {
  const t = useTranslations('options.known');
  const inWords = (leaf: Leaf): Leaf => {
    const key = leaf.path.split('.').at(-1) as 'email';
    if (!t.has(`${key}.label`)) return leaf;
    return { ...leaf, label: t(`${key}.label`), description: t(`${key}.description`) };
  };
  const input = (leaf: Leaf) => <FieldInput key={leaf.path} leaf={inWords(leaf)} scope={scope} />;
  const colours = leaves.filter(({ kind }) => kind === 'colour');
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="lg" verticalSpacing="md">
        {leaves.filter(({ kind }) => kind !== 'colour').map(input)}
      </SimpleGrid>
      {colours.length > 0 && (
        <SimpleGrid cols={{ base: 1, xs: Math.min(colours.length, 3) }} spacing="lg" verticalSpacing="md">
          {colours.map(input)}
        </SimpleGrid>
      )}
    </>
  );
}
