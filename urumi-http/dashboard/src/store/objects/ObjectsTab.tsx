// A store's Kubernetes objects, and their differences from the desired state.
import { Alert, Badge, Group, Paper, Skeleton, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import {
  IconBox,
  IconDatabase,
  IconDots,
  IconKey,
  IconNetwork,
  IconServer,
  IconShield,
  IconWorld,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { api, body } from '../../api/client';
import { explain } from '../../api/errors';
import type { Store } from '../../api/types';
import { useStore } from '../context';
import { health } from '../health';
import { HealthMark } from '../HealthMark';
import { tree, type GroupName, type KubeObject, type Leaf, type Tree } from './tree';
import classes from './ObjectsTab.module.css';

const ObjectView = lazy(async () => ({ default: (await import('./ObjectView')).ObjectView }));

const route = getRouteApi('/stores/$id/objects');

const ICON = {
  workloads: IconServer,
  services: IconNetwork,
  addresses: IconWorld,
  storage: IconDatabase,
  policies: IconShield,
  secrets: IconKey,
  others: IconDots,
} as const satisfies Record<GroupName, unknown>;

export function ObjectsTab() {
  const t = useTranslations('store.objects');
  const store = useStore();
  const { object: chosen } = route.useSearch();
  const path = { id: store.id };
  const manifests = useQuery({
    queryKey: ['store', store.id, 'manifests'],
    queryFn: async ({ signal }) =>
      (await body(
        api.GET('/stores/{id}/manifests', { params: { path }, signal }),
      )) as unknown as KubeObject[],
  });
  const diff = useQuery({
    queryKey: ['store', store.id, 'diff'],
    queryFn: ({ signal }) => body(api.GET('/stores/{id}/diff', { params: { path }, signal })),
  });
  const shown = useMemo(() => tree(manifests.data ?? [], diff.data ?? []), [manifests.data, diff.data]);
  const leaves = [...(shown.root ? [shown.root] : []), ...shown.groups.flatMap(({ leaves }) => leaves)];
  const leaf = leaves.find(({ key }) => key === chosen);
  const error = manifests.error ?? diff.error;
  const differing = diff.data?.length ?? 0;

  return (
    <Stack gap="md">
      <Group justify="space-between" gap="xs">
        <Title order={2} fz="lg">
          {t('title')}
        </Title>
        {manifests.data && diff.data && (
          <Text size="sm" c="dimmed" role="status">
            {t('summary', { count: manifests.data.length, differing })}
          </Text>
        )}
      </Group>
      {error && (
        <Alert color="red" role="alert">
          <span className="untrusted">{explain(error)}</span>
        </Alert>
      )}
      {!manifests.data && !manifests.error && <Skeleton h={320} role="status" aria-label={t('loading')} />}
      {manifests.data && (
        <div className={classes.split}>
          <Paper withBorder component="nav" p="sm" aria-label={t('title')}>
            <Branches store={store} tree={shown} chosen={leaf?.key} />
          </Paper>
          <Paper
            withBorder
            component="section"
            p="md"
            className={classes.detail}
            aria-label={leaf?.key ?? t('none')}
          >
            {leaf ? (
              <Suspense fallback={<Skeleton h={320} />}>
                <ObjectView key={leaf.key} leaf={leaf} />
              </Suspense>
            ) : (
              <Stack align="center" gap="xs" py="xl" c="dimmed">
                <IconBox size={36} stroke={1.2} aria-hidden />
                <Text size="sm" ta="center">
                  {chosen ? t('unknown') : t('choose')}
                </Text>
              </Stack>
            )}
          </Paper>
        </div>
      )}
    </Stack>
  );
}

function Branches({ store, tree, chosen }: { store: Store; tree: Tree; chosen: string | undefined }) {
  const t = useTranslations('store.objects');
  const groups = (
    <ul className={classes.branch}>
      {tree.groups.map(({ name, leaves }) => {
        const Icon = ICON[name];
        return (
          <li key={name} className={classes.node}>
            <Group gap={8} wrap="nowrap" className={classes.group}>
              <Icon size={16} aria-hidden />
              <Text size="xs" fw={600}>
                {t(`group.${name}`)}
              </Text>
            </Group>
            <ul className={classes.branch}>
              {leaves.map((leaf) => (
                <li key={leaf.key} className={classes.node}>
                  <Entry leaf={leaf} store={store} mark={name === 'workloads'} chosen={leaf.key === chosen} />
                </li>
              ))}
            </ul>
          </li>
        );
      })}
    </ul>
  );
  return (
    <ul className={classes.tree}>
      <li>
        {tree.root && <Entry leaf={tree.root} store={store} mark={false} chosen={tree.root.key === chosen} />}
        {groups}
      </li>
    </ul>
  );
}

interface EntryProps {
  leaf: Leaf;
  store: Store;
  /** Whether it shows the health of its component. */
  mark: boolean;
  chosen: boolean;
}

function Entry({ leaf, store, mark, chosen }: EntryProps) {
  const t = useTranslations('store.objects');
  const { kind, metadata } = leaf.object;
  const state = mark && leaf.component ? health(store, leaf.component) : undefined;
  return (
    <Link
      to="/stores/$id/objects"
      params={{ id: store.id }}
      search={(before) => ({ ...before, object: chosen ? undefined : leaf.key })}
      replace
      resetScroll={false}
      className={classes.leaf}
      data-chosen={chosen || undefined}
      aria-current={chosen ? 'true' : undefined}
      data-object={leaf.key}
    >
      {state && <HealthMark health={state} size={16} />}
      <span className={classes.name}>
        <Text span size="sm" fw={550} className="untrusted" display="block">
          {metadata.name}
        </Text>
        <Text span size="xs" c="dimmed" display="block">
          {kind}
          {state && <VisuallyHidden>, {t(`health.${state}`)}</VisuallyHidden>}
        </Text>
      </span>
      {leaf.difference && (
        <Badge variant="light" color="yellow" size="sm" tt="none" className={classes.differs}>
          {t(leaf.difference.action === 'create' ? 'missing' : 'differs')}
        </Badge>
      )}
    </Link>
  );
}
