// Makes a store as urumi makes new ones now, after the user has seen what that changes.
import { Alert, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import type { Store } from '../../api/types';
import { despiteStatus, hasChanged, previewUpdate, update, useChange } from '../changes';
import { Dialog } from '../Dialog';
import { rolloutOf } from '../rollout';
import { Preview } from './Preview';

const REFRESH = { refresh: true };

const kindOf = (store: Store) => (rolloutOf(store)?.state === 'outdated' ? 'version' : 'defaults');

export function Refresh({ store }: { store: Store }) {
  const t = useTranslations('store.settings.refresh');
  const [opened, { open, close }] = useDisclosure();
  // The store that the preview is about: a later revision of it is not changed unseen.
  const [seen, setSeen] = useState(store);
  const kind = kindOf(store);
  return (
    <>
      <Button
        variant={kind === 'version' ? 'filled' : 'default'}
        size="xs"
        onClick={() => {
          setSeen(store);
          open();
        }}
        leftSection={<IconRefresh size={16} aria-hidden />}
        aria-haspopup="dialog"
      >
        {t(`open.${kind}`)}
      </Button>
      <Dialog title={t(`title.${kindOf(seen)}`)} opened={opened} close={close}>
        <Confirm store={seen} close={close} />
      </Dialog>
    </>
  );
}

function Confirm({ store, close }: { store: Store; close: () => void }) {
  const t = useTranslations('store');
  const { data: preview, ...asking } = useQuery({
    queryKey: ['store', store.id, 'refresh', store.revision],
    queryFn: ({ signal }) => previewUpdate(store.id, REFRESH, signal),
    // Today's defaults are those of the moment.
    gcTime: 0,
  });
  const { mutate, isPending, error } = useChange(despiteStatus(update(REFRESH)));
  const isSame = preview !== undefined && preview.revision === store.revision;
  const trouble = error ?? asking.error;
  const isOvertaken = hasChanged(trouble);
  return (
    <Stack gap="md">
      <Text>{t('settings.refresh.about')}</Text>
      {asking.isPending && <Skeleton h={120} role="status" aria-label={t('settings.refresh.loading')} />}
      {preview && !isSame && <Preview name={store.name} preview={preview} />}
      {isSame && (
        <Text size="sm" role="status">
          {t('settings.refresh.same')}
        </Text>
      )}
      {trouble && (
        <Alert color={isOvertaken ? 'yellow' : 'red'} role="alert" icon={<IconAlertTriangle aria-hidden />}>
          <span className="untrusted">{isOvertaken ? t('changed') : explain(trouble)}</span>
        </Alert>
      )}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={close} data-autofocus>
          {t('settings.refresh.cancel')}
        </Button>
        <Button
          onClick={() => mutate(store, { onSuccess: close })}
          loading={isPending}
          disabled={!preview || isSame || isOvertaken}
        >
          {t('settings.refresh.confirm')}
        </Button>
      </Group>
    </Stack>
  );
}
