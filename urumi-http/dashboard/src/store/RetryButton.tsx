// Retries a failed store.
import { Button, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import type { Store } from '../api/types';
import { hasChanged, retry, useChange } from './changes';

export function RetryButton({ store }: { store: Store }) {
  const t = useTranslations('store');
  const { mutate, isPending, error } = useChange(retry);
  return (
    <Stack gap={4} align="flex-start">
      <Button
        onClick={() => mutate(store)}
        loading={isPending}
        leftSection={<IconRefresh size={18} aria-hidden />}
      >
        {t('retry')}
      </Button>
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert" className="untrusted" maw={320}>
          {hasChanged(error) ? t('changed') : explain(error)}
        </Text>
      )}
    </Stack>
  );
}
