// Restarts the programs of a store.
import { Button, Stack, Text } from '@mantine/core';
import { IconRotateClockwise } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import type { Store } from '../api/types';
import { hasChanged, restart, useChange } from './changes';

export function RestartButton({ store }: { store: Store }) {
  const t = useTranslations('store.restart');
  const shared = useTranslations('store');
  const { mutate, isPending, isSuccess, error } = useChange(restart);
  return (
    <Stack gap={4} align="flex-start">
      <Button
        variant="default"
        onClick={() => mutate(store)}
        loading={isPending}
        leftSection={<IconRotateClockwise size={18} aria-hidden />}
      >
        {t('start')}
      </Button>
      {isSuccess && (
        <Text size="sm" c="dimmed" role="status" maw={320}>
          {t('started')}
        </Text>
      )}
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert" className="untrusted" maw={320}>
          {hasChanged(error) ? shared('changed') : explain(error)}
        </Text>
      )}
    </Stack>
  );
}
