// The revisions of a store: who changed what, when and why, and the way back to earlier ones.
import { Alert, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import { RolloutNote } from '../RolloutNote';
import { useStore } from '../context';
import { Entry } from './Entry';
import { entriesOf } from './entries';
import { revisionsQuery } from './revisionsQuery';
import classes from './HistoryTab.module.css';

export function HistoryTab() {
  const t = useTranslations('store.history');
  const store = useStore();
  const { data: revisions, error } = useQuery(revisionsQuery(store));
  return (
    <Stack gap="md">
      <div>
        <Title order={2} fz="lg">
          {t('title')}
        </Title>
        <Text size="sm" c="dimmed" mt={4}>
          {t('lead')}
        </Text>
      </div>
      <RolloutNote store={store} praises />
      {error && (
        <Alert color="red" role="alert">
          <span className="untrusted">{explain(error)}</span>
        </Alert>
      )}
      {!revisions && !error && <Skeleton h={240} role="status" aria-label={t('loading')} />}
      {revisions && (
        <Paper withBorder component="ol" className={classes.list}>
          {entriesOf(revisions).map((entry) => (
            <Entry key={entry.revision.number} store={store} entry={entry} />
          ))}
        </Paper>
      )}
    </Stack>
  );
}
