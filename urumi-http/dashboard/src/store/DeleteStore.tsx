// Deletes a store after the user has typed its name.
import { Alert, Button, Group, List, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconTrash } from '@tabler/icons-react';
import { useState, type SubmitEvent } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import type { Store } from '../api/types';
import { hasChanged, remove, useChange } from './changes';
import { Dialog } from './Dialog';

export function DeleteStore({ store }: { store: Store }) {
  const t = useTranslations('store.delete');
  const [opened, { open, close }] = useDisclosure();
  return (
    <>
      <Button
        variant="default"
        onClick={open}
        leftSection={<IconTrash size={16} aria-hidden />}
        aria-haspopup="dialog"
      >
        {t('open')}
      </Button>
      <Dialog title={t('title')} opened={opened} close={close}>
        <Confirm store={store} close={close} />
      </Dialog>
    </>
  );
}

function Confirm({ store, close }: { store: Store; close: () => void }) {
  const t = useTranslations('store');
  const [typed, setTyped] = useState('');
  const { mutate, isPending, error } = useChange(remove);
  const right = typed.trim() === store.name;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (right) mutate(store, { onSuccess: close });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <div>
          <Text mb="xs">{t('delete.lost')}</Text>
          <List size="sm" spacing={4}>
            <List.Item>{t('delete.data')}</List.Item>
            <List.Item>{t('delete.shop')}</List.Item>
            <List.Item>{t('delete.addresses')}</List.Item>
          </List>
        </div>
        <Text size="sm" fw={600}>
          {t('delete.final')}
        </Text>
        <TextInput
          data-autofocus
          label={t.rich('delete.type', {
            name: store.name,
            b: (name) => <b className="untrusted">{name}</b>,
          })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
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
          <Button variant="default" onClick={close}>
            {t('delete.cancel')}
          </Button>
          <Button type="submit" color="red.9" disabled={!right} loading={isPending}>
            {t('delete.confirm')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
