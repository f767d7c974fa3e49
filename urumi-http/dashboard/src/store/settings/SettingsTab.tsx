// The settings of a store: what its request chose, to be changed while the shop is open.
import { Alert, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import { enginesQuery } from '../../options/enginesQuery';
import { useMay } from '../../session/whoami';
import en from '../../texts/en.options.json';
import { PageTexts } from '../../texts/PageTexts';
import { RolloutNote } from '../RolloutNote';
import { useStore } from '../context';
import { revisionsQuery } from '../history/revisionsQuery';
import { ChangeForm } from './ChangeForm';
import { optionsQuery } from './optionsQuery';
import { Refresh } from './Refresh';
import classes from './SettingsTab.module.css';

export function SettingsTab() {
  const t = useTranslations('store.settings');
  const store = useStore();
  const operator = useMay('operator');
  const isOpen = operator && store.status !== 'deleting';
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" gap="md">
        <div>
          <Title order={2} fz="lg" id="settings-title" tabIndex={-1} className={classes.quiet}>
            {t('title')}
          </Title>
          <Text size="sm" c="dimmed" mt={4}>
            {operator ? t('lead') : t('operators')}
          </Text>
        </div>
        {isOpen && <Refresh store={store} />}
      </Group>
      {operator && !isOpen && <Alert title={t('deleting')} />}
      {isOpen && (
        <PageTexts texts={{ en }}>
          <RolloutNote store={store} praises />
          <Content />
        </PageTexts>
      )}
    </Stack>
  );
}

function Content() {
  const t = useTranslations('store.settings');
  const store = useStore();
  const engines = useQuery(enginesQuery);
  const options = useQuery(optionsQuery(store));
  const revisions = useQuery(revisionsQuery(store));
  const error = engines.error ?? options.error ?? revisions.error;
  if (engines.data && options.data && revisions.data) {
    const engine = engines.data.find(({ name }) => name === store.engine);
    const present = revisions.data.find(({ current }) => current);
    if (!engine || !present) return <Alert title={t('noEngine', { engine: store.engine })} />;
    return <ChangeForm store={store} engine={engine} present={present} effective={options.data.effective} />;
  }
  if (error) {
    return (
      <Alert color="red" role="alert">
        <span className="untrusted">{explain(error)}</span>
      </Alert>
    );
  }
  return <Skeleton h={320} role="status" aria-label={t('loading')} />;
}
