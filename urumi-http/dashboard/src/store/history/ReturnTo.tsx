// Returns to an earlier revision after the user has confirmed it.
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import type { Store } from '../../api/types';
import { Dialog } from '../Dialog';
import { despiteStatus, hasChanged, rollBack, useChange } from '../changes';

interface ReturnProps {
  store: Store;
  number: number;
}

export function ReturnTo({ store, number }: ReturnProps) {
  const t = useTranslations('store.history.return');
  const [opened, { open, close }] = useDisclosure();
  return (
    <>
      <Button
        variant="default"
        size="xs"
        onClick={open}
        leftSection={<IconArrowBackUp size={16} aria-hidden />}
        aria-haspopup="dialog"
      >
        {t('open')}
      </Button>
      <Dialog title={t('title', { number })} opened={opened} close={close}>
        <Confirm store={store} number={number} close={close} />
      </Dialog>
    </>
  );
}

function Confirm({ store, number, close }: ReturnProps & { close: () => void }) {
  const t = useTranslations('store');
  const { mutate, isPending, error } = useChange(despiteStatus(rollBack(number)));
  const [isSame, setIsSame] = useState(false);
  const confirm = () =>
    mutate(store, {
      onSuccess(changed) {
        if (changed.revision === store.revision) setIsSame(true);
        else close();
      },
    });
  return (
    <Stack gap="md">
      <Text>{t('history.return.next', { number })}</Text>
      <Text size="sm">{t('history.return.restart')}</Text>
      <Text size="sm" fw={600}>
        {t('history.return.data')}
      </Text>
      {isSame && (
        <Text size="sm" role="status">
          {t('history.return.same', { number })}
        </Text>
      )}
      {error && (
        <Alert
          color={hasChanged(error) ? 'yellow' : 'red'}
          role="alert"
          icon={<IconAlertTriangle aria-hidden />}
        >
          <span className="untrusted">{hasChanged(error) ? t('changed') : explain(error)}</span>
        </Alert>
      )}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={close} data-autofocus>
          {t('history.return.cancel')}
        </Button>
        <Button onClick={confirm} loading={isPending} disabled={isSame}>
          {t('history.return.confirm')}
        </Button>
      </Group>
    </Stack>
  );
}
