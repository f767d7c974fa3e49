// The page that creates a store.
import './create.css';
import { Alert, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { enginesQuery } from '../options/enginesQuery';
import { ErrorPage } from '../shell/ErrorPage';
import { useMay, useRoleName, whoamiQuery } from '../session/whoami';
import { CreateForm } from './CreateForm';
import create from '../texts/en.create.json';
import options from '../texts/en.options.json';
import { PageTexts } from '../texts/PageTexts';

export function CreatePage() {
  return (
    <PageTexts texts={{ en: { ...create, ...options } }}>
      <Page />
    </PageTexts>
  );
}

function Page() {
  const t = useTranslations('create');
  return (
    <>
      <title>{t('title')}</title>
      <Title order={1} id="create-title">
        {t('title')}
      </Title>
      <Text c="dimmed" mt={4} mb="lg">
        {t('lead')}
      </Text>
      <Content />
    </>
  );
}

function Content() {
  const t = useTranslations();
  const roleName = useRoleName();
  const who = useQuery(whoamiQuery);
  const engines = useQuery(enginesQuery);
  const mayCreate = useMay('operator');
  const error = who.error ?? engines.error;
  if (error) {
    return <ErrorPage error={error} reset={() => void Promise.all([who.refetch(), engines.refetch()])} />;
  }
  if (who.data && !mayCreate) {
    return (
      <Alert icon={<IconLock aria-hidden />} title={t('create.mayNot.title')}>
        <Text size="sm" className="untrusted">
          {t('create.mayNot.text', { subject: who.data.subject, role: roleName(who.data.role) })}
        </Text>
      </Alert>
    );
  }
  if (!who.data || !engines.data) {
    return (
      <Stack gap="lg" role="status" aria-label={t('create.loading')}>
        <Skeleton h={320} radius="lg" />
        <Skeleton h={240} radius="lg" />
      </Stack>
    );
  }
  const [first, ...others] = engines.data;
  if (!first) return <Alert title={t('create.engine.none')} />;
  return <CreateForm engines={[first, ...others]} who={who.data} />;
}
