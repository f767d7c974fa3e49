// A store that is being deleted, with the reason if the deletion does not finish.
import { Code, Group, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNow, useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { duration } from '../texts/duration';
import { Card } from './Card';
import { eventsQuery } from './events/eventsQuery';

export function Deleting({ store }: { store: Store }) {
  const t = useTranslations('store.deleting');
  const now = useNow({ updateInterval: 1000 }).getTime();
  const { data: events } = useQuery(eventsQuery(store.id));
  const begun = events?.findLast(({ source, reason }) => source === 'urumi' && reason === 'Deleting');
  const holds = store.conditions.find(({ type, status }) => type === 'TornDown' && status === 'False');
  return (
    <Card
      title={t('title')}
      aside={
        begun && (
          <Text size="sm" c="dimmed">
            {t('since', { duration: duration(Math.max(0, now - Date.parse(begun.time))) })}
          </Text>
        )
      }
    >
      <Stack gap="md">
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <Loader size="sm" aria-hidden mt={2} />
          <Text size="sm" role="status">
            {t('text')}
          </Text>
        </Group>
        {holds && (
          <div>
            <Text size="sm" mb={4}>
              {t('holds')}
            </Text>
            <Code block className="untrusted" style={{ whiteSpace: 'pre-wrap' }} tabIndex={0}>
              {holds.reason}: {holds.message}
            </Code>
          </div>
        )}
      </Stack>
    </Card>
  );
}
