// All stores: searched, filtered and sorted by the address's parameters.
import {
  Alert,
  Button,
  Chip,
  Group,
  NativeSelect,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
  VisuallyHidden,
} from '@mantine/core';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useDeferredValue, useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { STATUSES, type StoreStatus } from '../api/types';
import { useLiveness } from '../live/LiveStores';
import { storesQuery } from '../live/stores';
import { useMay } from '../session/whoami';
import { NoStores } from './NoStores';
import { countByStatus, select, type Selection } from './selection';
import { StoresTable } from './StoresTable';

const route = getRouteApi('/stores/');

export function StoresPage() {
  const t = useTranslations('stores');
  const selection = route.useSearch();
  const navigate = route.useNavigate();
  const { data: stores } = useQuery(storesQuery);
  const liveness = useLiveness();
  const mayCreate = useMay('operator');
  const settled = useDeferredValue(selection);
  const shown = useMemo(() => (stores ? select(stores.values(), settled) : []), [stores, settled]);
  const change = (change: Partial<Selection>) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });

  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>{t('title')}</Title>
        {mayCreate && (
          <Button component={Link} to="/stores/new" leftSection={<IconPlus size={18} aria-hidden />}>
            {t('create')}
          </Button>
        )}
      </Group>
      {!stores && liveness === 'offline' && (
        <Alert color="red" role="alert">
          {t('unreachable')}
        </Alert>
      )}
      {!stores && liveness !== 'offline' && <Loading />}
      {stores?.size === 0 && <NoStores />}
      {stores && stores.size > 0 && (
        <>
          <Filters selection={selection} onChange={change} />
          <VisuallyHidden role="status">{t('found', { count: shown.length })}</VisuallyHidden>
          {shown.length > 0 ? (
            <StoresTable stores={shown} selection={selection} onSort={(sort) => change({ sort })} />
          ) : (
            <Stack align="center" py="xl">
              <Text>{t('noMatch')}</Text>
              <Button variant="default" onClick={() => void navigate({ search: {} })}>
                {t('clear')}
              </Button>
            </Stack>
          )}
        </>
      )}
    </Stack>
  );
}

function Filters({
  selection,
  onChange,
}: {
  selection: Selection;
  onChange: (change: Partial<Selection>) => void;
}) {
  const t = useTranslations();
  const { data: stores } = useQuery(storesQuery);
  const counts = useMemo(() => countByStatus(stores?.values() ?? []), [stores]);
  const engines = useMemo(
    () => [...new Set(Array.from(stores?.values() ?? [], ({ engine }) => engine))].sort(),
    [stores],
  );
  return (
    <Group align="end" gap="md">
      <TextInput
        type="search"
        label={t('stores.search')}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={selection.q ?? ''}
        onChange={(event) => onChange({ q: event.currentTarget.value || undefined })}
        maxLength={100}
        flex="1 1 220px"
        maw={360}
      />
      {(engines.length > 1 || selection.engine) && (
        <NativeSelect
          label={t('stores.engine')}
          value={selection.engine ?? ''}
          onChange={(event) => onChange({ engine: event.currentTarget.value || undefined })}
          data={[
            { value: '', label: t('stores.anyEngine') },
            ...new Set([...engines, selection.engine ?? []].flat()),
          ]}
        />
      )}
      <Chip.Group
        multiple
        value={selection.status ?? []}
        onChange={(status) => onChange({ status: status.length > 0 ? (status as StoreStatus[]) : undefined })}
      >
        <Group gap={6} role="group" aria-label={t('stores.status')}>
          {STATUSES.filter((status) => counts[status] > 0 || selection.status?.includes(status)).map(
            (status) => (
              <Chip key={status} value={status} size="sm" variant="outline">
                {t(`status.${status}`)} · {counts[status]}
              </Chip>
            ),
          )}
        </Group>
      </Chip.Group>
    </Group>
  );
}

function Loading() {
  const t = useTranslations('stores');
  return (
    <Stack gap="xs" role="status" aria-label={t('loading')}>
      {[1, 2, 3, 4].map((row) => (
        <Skeleton key={row} h={56} />
      ))}
    </Stack>
  );
}
