// The logs of a store's containers.
import { Stack, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useMay } from '../../session/whoami';
import { useStore } from '../context';
import { componentOf } from '../pipeline';
import { LogView } from './LogView';

const route = getRouteApi('/stores/$id/logs');

export function LogsTab() {
  const t = useTranslations('store.logs');
  const store = useStore();
  const { component } = route.useSearch();
  const operator = useMay('operator');
  // When a component's state changes, it may have other pods.
  const generation = store.conditions
    .filter(({ type }) => componentOf(type) !== undefined)
    .map(({ status, reason }) => `${status} ${reason}`)
    .join();
  return (
    <Stack gap="md">
      <Title order={2} fz="lg">
        {t('title')}
      </Title>
      {operator ? (
        <LogView key={component ?? ''} store={store} component={component} generation={generation} />
      ) : (
        <Text c="dimmed">{t('operators')}</Text>
      )}
    </Stack>
  );
}
