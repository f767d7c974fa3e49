// The latest events, with a link to the whole timeline.
import { Anchor } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { Card } from './Card';
import { Entry } from './events/Entry';
import { eventsQuery } from './events/eventsQuery';
import { select } from './events/timeline';
import classes from './events/EventsTab.module.css';

const SHOWN = 4;

export function Latest({ store }: { store: Store }) {
  const t = useTranslations('store.events');
  const { data: entries } = useQuery(eventsQuery(store.id));
  const latest = select(entries ?? [], {}).slice(0, SHOWN);
  if (latest.length === 0) return null;
  return (
    <Card
      title={t('latest')}
      aside={
        <Anchor
          size="sm"
          renderRoot={(props) => <Link {...props} to="/stores/$id/events" params={{ id: store.id }} />}
        >
          {t('all')}
        </Anchor>
      }
    >
      <ol className={`${classes.list} ${classes.flush}`}>
        {latest.map((entry, index) => (
          <Entry key={`${entry.time} ${entry.reason} ${index}`} entry={entry} />
        ))}
      </ol>
    </Card>
  );
}
