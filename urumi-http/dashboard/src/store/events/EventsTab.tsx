// The timeline of a store: changes of its status, Kubernetes' Events, and audited requests.
import { Alert, Chip, Group, Paper, Skeleton, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useFormatter, useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import { SOURCES, type EventsSearch, type Source } from '../search';
import { useStore } from '../context';
import { Entry } from './Entry';
import { eventsQuery } from './eventsQuery';
import { byDay, countBySource, select } from './timeline';
import classes from './EventsTab.module.css';

const route = getRouteApi('/stores/$id/events');

export function EventsTab() {
  const t = useTranslations('store.events');
  const format = useFormatter();
  const store = useStore();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: entries, error } = useQuery(eventsQuery(store.id));
  const change = (change: EventsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });
  const counts = countBySource(entries ?? []);
  const warnings = entries?.filter((entry) => entry.type === 'Warning').length ?? 0;
  const shown = select(entries ?? [], search);
  const days = byDay(shown, (time) => format.dateTime(time, { dateStyle: 'full' }));

  return (
    <Stack gap="md">
      <Title order={2} fz="lg">
        {t('heading')}
      </Title>
      <Group gap="xs" role="group" aria-label={t('filter')}>
        <Chip.Group
          multiple
          value={search.source ?? []}
          onChange={(source) => change({ source: source.length > 0 ? (source as Source[]) : undefined })}
        >
          {SOURCES.map((source) => (
            <Chip key={source} value={source} size="sm">
              {t('withCount', { name: t(`source.${source}`), count: counts[source] })}
            </Chip>
          ))}
        </Chip.Group>
        <Chip
          size="sm"
          color="yellow.9"
          checked={search.warnings ?? false}
          onChange={(on) => change({ warnings: on ? true : undefined })}
        >
          {t('withCount', { name: t('warnings'), count: warnings })}
        </Chip>
      </Group>
      {error && (
        <Alert color="red" role="alert">
          <span className="untrusted">{explain(error)}</span>
        </Alert>
      )}
      {!entries && !error && <Skeleton h={240} role="status" aria-label={t('loading')} />}
      {entries && <VisuallyHidden role="status">{t('shown', { count: shown.length })}</VisuallyHidden>}
      {entries && shown.length === 0 && (
        <Text c="dimmed" size="sm">
          {t(entries.length === 0 ? 'none' : 'noMatch')}
        </Text>
      )}
      {days.map(([day, entries]) => (
        <section key={day}>
          <Title order={3} fz="sm" fw={600} c="dimmed" mb="xs">
            {day}
          </Title>
          <Paper withBorder component="ol" className={classes.list}>
            {entries.map((entry, index) => (
              <Entry key={`${entry.time} ${entry.reason} ${entry.object ?? ''} ${index}`} entry={entry} />
            ))}
          </Paper>
        </section>
      ))}
      <Text size="xs" c="dimmed">
        {t('forgets')}
      </Text>
    </Stack>
  );
}
