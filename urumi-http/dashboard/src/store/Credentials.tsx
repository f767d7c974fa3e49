// The first sign-in to a store. The password is shown only on request and for a short time.
import { Button, Code, Group, Stack, Text, VisuallyHidden } from '@mantine/core';
import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { api, body } from '../api/client';
import { explain } from '../api/errors';
import { ApiError } from '../api/problem';
import type { Store } from '../api/types';
import { Card } from './Card';
import { Copy } from './Copy';
import { credentialsQuery } from './credentialsQuery';
import classes from './Credentials.module.css';

const SHOWN_MS = 60_000;

export function Credentials({ store }: { store: Store }) {
  const t = useTranslations('store.credentials');
  const { data, error } = useQuery(credentialsQuery(store.id));
  if (!data && !error) return null;
  if (!data) {
    // Stores of this engine have no sign-in, or the password does not exist yet.
    const expected = error instanceof ApiError && error.status === 409;
    return (
      <Card title={t('title')}>
        <Text size="sm" c={expected ? 'dimmed' : 'var(--mantine-color-error)'} className="untrusted">
          {explain(error)}
        </Text>
      </Card>
    );
  }
  return (
    <Card title={t('title')}>
      <Stack gap="sm">
        <Line name={t('username')} copy={data.username}>
          <Text size="sm" className="untrusted">
            {data.username}
          </Text>
        </Line>
        <Password store={store} />
      </Stack>
    </Card>
  );
}

function Password({ store }: { store: Store }) {
  const t = useTranslations('store.credentials');
  const [password, setPassword] = useState<string | null>(null);
  const { mutate, isPending, error } = useMutation({
    // This answer must not be cached: it is stored only where it is shown.
    gcTime: 0,
    mutationFn: async () => {
      const { password } = await body(
        api.GET('/stores/{id}/credentials', { params: { path: { id: store.id }, query: { reveal: true } } }),
      );
      setPassword(password ?? null);
    },
  });
  useEffect(() => {
    if (password === null) return;
    const hide = () => setPassword(null);
    const timer = setTimeout(hide, SHOWN_MS);
    // A user who switches away might leave the password visible to others.
    const leave = () => document.hidden && hide();
    document.addEventListener('visibilitychange', leave);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', leave);
    };
  }, [password]);

  return (
    <>
      <Line name={t('password')} copy={password ?? undefined}>
        {password === null ? (
          <Text size="sm" c="dimmed" aria-label={t('hidden')} role="img">
            ••••••••••••
          </Text>
        ) : (
          <Code className={`untrusted ${classes.password}`} data-password>
            {password}
          </Code>
        )}
      </Line>
      <Group gap="sm">
        <Button
          variant="default"
          size="xs"
          loading={isPending}
          onClick={() => (password === null ? mutate() : setPassword(null))}
          leftSection={
            password === null ? <IconEye size={16} aria-hidden /> : <IconEyeOff size={16} aria-hidden />
          }
        >
          {t(password === null ? 'reveal' : 'hide')}
        </Button>
        <Text size="xs" c="dimmed" className={classes.noted}>
          {t(password === null ? 'noted' : 'shown')}
        </Text>
      </Group>
      <VisuallyHidden role="status">{password === null ? '' : t('revealed')}</VisuallyHidden>
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert" className="untrusted">
          {explain(error)}
        </Text>
      )}
    </>
  );
}

function Line({ name, copy, children }: { name: string; copy: string | undefined; children: ReactNode }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs" mih={44}>
      <div className={classes.line}>
        <Text size="xs" c="dimmed">
          {name}
        </Text>
        {children}
      </div>
      {copy !== undefined && <Copy value={copy} what={name} />}
    </Group>
  );
}
