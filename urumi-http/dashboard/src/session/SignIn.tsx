// Signs in with a token, or at the organisation's identity provider.
import {
  Alert,
  Button,
  Center,
  Divider,
  Group,
  Paper,
  PasswordInput,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import { request } from '../api/client';
import { ApiError } from '../api/problem';
import { Logo } from '../shell/Logo';
import { setToken } from './session';
import type { Settings } from './settings';

export function SignIn({ settings }: { settings: Settings }) {
  const t = useTranslations();
  const [token, setEntered] = useState('');
  const { oidc } = settings.signIn;
  const byToken = useMutation({
    mutationFn: (entered: string) => request('/whoami', { headers: { Authorization: `Bearer ${entered}` } }),
    onSuccess: (_, entered) => setToken(entered),
  });
  const byProvider = useMutation({
    mutationFn: async (to: NonNullable<typeof oidc>) =>
      (await import('./oidc')).leave(to, location.pathname + location.search),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const entered = token.trim();
    if (entered && !byToken.isPending) byToken.mutate(entered);
  };
  const refused = byToken.error instanceof ApiError && byToken.error.status === 401;
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" w="100%" maw={420}>
        <Stack>
          <Group gap="sm">
            <Logo />
            <Title order={1} size="h3">
              {t('signIn.title')}
            </Title>
          </Group>
          {oidc && (
            <Button
              onClick={() => byProvider.mutate(oidc)}
              loading={byProvider.isPending || byProvider.isSuccess}
            >
              {t('signIn.oidc')}
            </Button>
          )}
          {byProvider.error && (
            <Alert color="red" role="alert" title={t('signIn.failed')}>
              {explain(byProvider.error)}
            </Alert>
          )}
          {oidc && settings.signIn.token && <Divider />}
          {settings.signIn.token && (
            <form onSubmit={submit}>
              <Stack>
                <PasswordInput
                  label={t('signIn.token')}
                  description={t('signIn.tokenHint')}
                  value={token}
                  onChange={(event) => setEntered(event.currentTarget.value)}
                  error={byToken.error && (refused ? t('signIn.refused') : explain(byToken.error))}
                  autoComplete="current-password"
                  required
                />
                <Button type="submit" loading={byToken.isPending} variant={oidc ? 'default' : 'filled'}>
                  {t('signIn.submit')}
                </Button>
              </Stack>
            </form>
          )}
          <Text size="xs" c="dimmed">
            urumi {settings.version}
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
