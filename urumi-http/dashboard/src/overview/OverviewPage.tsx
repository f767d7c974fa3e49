// All stores: their number, those that need attention, and the time until they are ready.
import {
  Anchor,
  Button,
  Group,
  Paper,
  Progress,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useNow, useTranslations } from 'use-intl';
import { STATUSES, type Store } from '../api/types';
import { storesQuery } from '../live/stores';
import { useMay } from '../session/whoami';
import { NoStores } from '../stores/NoStores';
import { countByStatus } from '../stores/selection';
import { StatusBadge } from '../stores/StatusBadge';
import { duration } from '../texts/duration';
import { median, needAttention, timesToReady } from './figures';

const ATTENTION_SHOWN = 8;
const TIMES_SHOWN = 10;

export function OverviewPage() {
  const t = useTranslations();
  const { data: stores } = useQuery(storesQuery);
  const mayCreate = useMay('operator');
  const all = useMemo(() => Array.from(stores?.values() ?? []), [stores]);
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Title order={1}>{t('overview.title')}</Title>
        {mayCreate && all.length > 0 && (
          <Button component={Link} to="/stores/new" leftSection={<IconPlus size={18} aria-hidden />}>
            {t('stores.create')}
          </Button>
        )}
      </Group>
      {!stores && <Skeleton h={120} role="status" aria-label={t('stores.loading')} />}
      {stores?.size === 0 && <NoStores />}
      {all.length > 0 && (
        <>
          <Counts stores={all} />
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <Attention stores={all} />
            <TimesToReady stores={all} />
          </SimpleGrid>
        </>
      )}
    </Stack>
  );
}

function Counts({ stores }: { stores: Store[] }) {
  const t = useTranslations('overview');
  const counts = useMemo(() => countByStatus(stores), [stores]);
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: 5 }} component="ul" p={0} m={0} aria-label={t('counts')}>
      {STATUSES.map((status) => (
        <Paper key={status} withBorder component="li" p="md" className="listless">
          <Anchor
            underline="never"
            c="inherit"
            renderRoot={(props) => <Link {...props} to="/stores" search={{ status: [status] }} />}
          >
            <Text fz={32} fw={700} lh={1.2}>
              {counts[status]}
            </Text>
            <StatusBadge status={status} />
          </Anchor>
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function Attention({ stores }: { stores: Store[] }) {
  const t = useTranslations('overview');
  const now = useNow({ updateInterval: 30_000 });
  const ill = useMemo(() => needAttention(stores, now.getTime()), [stores, now]);
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h3" mb="sm">
        {t('attention')}
      </Title>
      {ill.length === 0 && <Text c="dimmed">{t('allWell')}</Text>}
      <Stack component="ul" gap="sm" p={0} m={0} className="listless">
        {ill.slice(0, ATTENTION_SHOWN).map((store) => (
          <li key={store.id}>
            <Group justify="space-between" wrap="nowrap" align="start">
              <Anchor
                renderRoot={(props) => <Link {...props} to="/stores/$id" params={{ id: store.id }} />}
                fw={600}
                size="sm"
                className="untrusted"
                lineClamp={1}
              >
                {store.name}
              </Anchor>
              <StatusBadge status={store.status} />
            </Group>
            {store.reason && (
              <Text size="xs" c="dimmed" className="untrusted" lineClamp={2}>
                {store.reason}
              </Text>
            )}
          </li>
        ))}
      </Stack>
      {ill.length > ATTENTION_SHOWN && (
        <Anchor
          size="sm"
          mt="sm"
          display="block"
          renderRoot={(props) => <Link {...props} to="/stores" search={{ sort: 'status' }} />}
        >
          {t('more', { count: ill.length - ATTENTION_SHOWN })}
        </Anchor>
      )}
    </Paper>
  );
}

function TimesToReady({ stores }: { stores: Store[] }) {
  const t = useTranslations('overview');
  const times = useMemo(() => timesToReady(stores, TIMES_SHOWN), [stores]);
  const longest = Math.max(...times.map(({ ms }) => ms), 1);
  const middle = median(times.map(({ ms }) => ms));
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h3" mb={4}>
        {t('times')}
      </Title>
      <Text c="dimmed" size="sm" mb="sm">
        {middle === undefined
          ? t('noTimes')
          : t('median', { count: times.length, duration: duration(middle) })}
      </Text>
      <Stack component="ol" gap={8} p={0} m={0} className="listless">
        {times.map(({ store, ms }) => (
          <li key={store.id}>
            <Group justify="space-between" wrap="nowrap" gap="xs">
              <Anchor
                renderRoot={(props) => <Link {...props} to="/stores/$id" params={{ id: store.id }} />}
                size="sm"
                className="untrusted"
                lineClamp={1}
              >
                {store.name}
              </Anchor>
              <Text size="sm">{duration(ms)}</Text>
            </Group>
            <Progress value={(ms / longest) * 100} size="sm" aria-hidden />
          </li>
        ))}
      </Stack>
    </Paper>
  );
}
