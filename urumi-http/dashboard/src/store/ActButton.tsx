// Changes a store with one request, and says how that went.
import { Button, type ButtonProps, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import type { Store } from '../api/types';
import { type Change, hasChanged, useChange } from './changes';

interface ActButtonProps extends Pick<ButtonProps, 'variant' | 'leftSection'> {
  store: Store;
  act: Change;
  label: ReactNode;
  /** What is said once the request was accepted. */
  accepted?: ReactNode;
}

export function ActButton({ store, act, label, accepted, ...look }: ActButtonProps) {
  const t = useTranslations('store');
  const { mutate, isPending, isSuccess, error } = useChange(act);
  return (
    <Stack gap={4} align="flex-start">
      <Button onClick={() => mutate(store)} loading={isPending} {...look}>
        {label}
      </Button>
      {isSuccess && accepted && (
        <Text size="sm" c="dimmed" role="status" maw={320}>
          {accepted}
        </Text>
      )}
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert" className="untrusted" maw={320}>
          {hasChanged(error) ? t('changed') : explain(error)}
        </Text>
      )}
    </Stack>
  );
}
