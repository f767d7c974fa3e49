// One entry of the timeline.
import { Badge, Group, Text, VisuallyHidden } from '@mantine/core';
import { IconAlertTriangle, IconBuildingStore, IconCube, IconPoint, IconUser } from '@tabler/icons-react';
import { useFormatter, useTranslations } from 'use-intl';
import type { TimelineEntry } from '../../api/types';
import { isSource } from '../search';
import { Ago } from '../Time';
import { useEventTitle } from './titles';
import classes from './EventsTab.module.css';

const ICON = { urumi: IconBuildingStore, kubernetes: IconCube, audit: IconUser } as const;

export function Entry({ entry }: { entry: TimelineEntry }) {
  const t = useTranslations('store.events');
  const format = useFormatter();
  const warning = entry.type === 'Warning';
  const title = useEventTitle();
  const { source } = entry;
  const Icon = warning ? IconAlertTriangle : isSource(source) ? ICON[source] : IconPoint;
  return (
    <li className={classes.entry} data-type={entry.type} data-source={source}>
      <span className={classes.icon}>
        <Icon size={18} aria-hidden />
      </span>
      <div className={classes.what}>
        <Group gap={8}>
          {warning && <VisuallyHidden>{t('warning')}</VisuallyHidden>}
          <Text size="sm" fw={600} className="untrusted">
            {title(entry)}
          </Text>
          {entry.count > 1 && (
            <Badge variant="default" size="sm" tt="none">
              {t('times', { count: entry.count })}
            </Badge>
          )}
          <Text size="xs" c="dimmed">
            {isSource(source) ? t(`source.${source}`) : source}
          </Text>
        </Group>
        {entry.message && (
          <Text size="sm" className="untrusted">
            {entry.message}
          </Text>
        )}
        {source === 'kubernetes' && (
          <Text size="xs" c="dimmed" ff="monospace" className="untrusted">
            {[entry.reason, entry.object].filter(Boolean).join(' · ')}
          </Text>
        )}
      </div>
      <div className={classes.time}>
        <Text size="sm">
          <Ago time={entry.time} />
        </Text>
        <Text size="xs" c="dimmed">
          {format.dateTime(new Date(entry.time), { timeStyle: 'medium' })}
        </Text>
      </div>
    </li>
  );
}
