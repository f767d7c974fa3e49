// Whether the form can be sent, in one line.
import { Group, Loader, Text } from '@mantine/core';
import { IconCircleCheck, IconPencil } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';

interface VerdictProps {
  checking: boolean;
  /** The number of invalid fields. */
  wrong: number;
  good: string;
}

export function Verdict({ checking, wrong, good }: VerdictProps) {
  const t = useTranslations('options.check');
  const Icon = wrong > 0 ? IconPencil : IconCircleCheck;
  return (
    <Group gap={8} wrap="nowrap" c={wrong > 0 ? 'var(--mantine-color-error)' : undefined}>
      {checking ? <Loader size={16} aria-hidden /> : <Icon size={18} aria-hidden />}
      <Text size="sm" fw={500}>
        {checking ? t('checking') : wrong > 0 ? t('wrong', { count: wrong }) : good}
      </Text>
    </Group>
  );
}
