// Replaces a page that cannot be shown.
import { Alert, Button, Container, Group, Text, Title } from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';

interface Props {
  error: unknown;
  reset?: () => void;
  /** Signs the user out. Set if another user may have access. */
  signOut?: () => void;
}

export function ErrorPage({ error, reset, signOut }: Props) {
  const t = useTranslations();
  const router = useRouter();
  const retry = () => {
    reset?.();
    void router.invalidate();
  };
  return (
    <Container size="sm" py="xl">
      <Alert color="red" title={t('error.title')} role="alert">
        <Text className="untrusted" mb="md">
          {explain(error)}
        </Text>
        <Group gap="xs">
          <Button onClick={retry} variant="default">
            {t('error.retry')}
          </Button>
          {signOut && (
            <Button onClick={signOut} variant="default">
              {t('signIn.out')}
            </Button>
          )}
        </Group>
      </Alert>
    </Container>
  );
}

export function NotFoundPage() {
  const t = useTranslations();
  return (
    <Container size="sm" py="xl">
      <Title order={1} mb="md">
        404
      </Title>
      <Text mb="md">{t('error.notFound')}</Text>
      <Group>
        <Link to="/">{t('error.home')}</Link>
      </Group>
    </Container>
  );
}
