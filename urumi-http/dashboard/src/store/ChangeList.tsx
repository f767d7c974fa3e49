// Options with their values before and after a change.
import { Code, Group, Stack, Text, VisuallyHidden } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import type { OptionChange } from '../api/types';
import { optionName } from '../options/names';

const LONGEST = 200;

export interface NameChange {
  from: string;
  to: string;
}

interface ListProps {
  /** The names before and after, if they differ. */
  name?: NameChange;
  options: OptionChange[];
  /** The name of the option with a path. */
  title?(path: string): string;
}

export function ChangeList({ name, options, title = optionName }: ListProps) {
  const t = useTranslations('store.changes');
  return (
    <Stack component="ul" gap={6} m={0} p={0} className="listless">
      {name && <Row title={t('name')} from={name.from} to={name.to} />}
      {options.map(({ option, from, to }) => (
        <Row key={option} title={title(option)} from={from} to={to} />
      ))}
    </Stack>
  );
}

function Row({ title, from, to }: { title: string; from?: unknown; to?: unknown }) {
  const t = useTranslations('store.changes');
  return (
    <li>
      <Text size="sm" className="untrusted">
        {title}
      </Text>
      <Group gap={6} wrap="wrap">
        <VisuallyHidden>{t('from')}</VisuallyHidden>
        <Value value={from} />
        <IconArrowRight size={14} aria-hidden />
        <VisuallyHidden>{t('to')}</VisuallyHidden>
        <Value value={to} />
      </Group>
    </li>
  );
}

function Value({ value }: { value: unknown }) {
  const t = useTranslations('store.changes');
  if (value === undefined || value === null) {
    return (
      <Text span size="sm" c="dimmed">
        {t('unset')}
      </Text>
    );
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.startsWith('data:image/')) return <Text size="sm">{t('picture')}</Text>;
  return <Code className="untrusted">{text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}</Code>;
}
