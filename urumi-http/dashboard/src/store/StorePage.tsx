// The page of one store: its facts, its actions and its tabs. If the store is deleted, the page says so.
import { Anchor, Box, Button, Group, Skeleton, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import {
  IconArrowLeft,
  IconAdjustments,
  IconBinaryTree2,
  IconExternalLink,
  IconHistory,
  IconLayoutGrid,
  IconTerminal2,
  IconVersions,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { isKnown, type Store } from '../api/types';
import { useLiveness } from '../live/LiveStores';
import { storesQuery } from '../live/stores';
import { useMay } from '../session/whoami';
import { StatusBadge } from '../stores/StatusBadge';
import { CopyId } from './Copy';
import { DeleteStore } from './DeleteStore';
import { RestartButton } from './RestartButton';
import { RetryButton } from './RetryButton';
import { StoreContext } from './context';
import { Ago } from './Time';
import classes from './StorePage.module.css';
import en from '../texts/en.store.json';
import { PageTexts } from '../texts/PageTexts';

const route = getRouteApi('/stores/$id');

export function StorePage() {
  const { id } = route.useParams();
  return (
    <PageTexts texts={{ en }}>
      <Shown key={id} id={id} />
    </PageTexts>
  );
}

function Shown({ id }: { id: string }) {
  const t = useTranslations('store');
  const stores = useQuery(storesQuery);
  const liveness = useLiveness();
  const store = stores.data?.get(id);
  // The last known state, for the time after the deletion.
  const [last, setLast] = useState<Store>();
  if (store && store !== last) setLast(store);
  useTitle(store?.name ?? last?.name ?? id);

  if (store) return <Known store={store} />;
  if (last) return <Absent title={t('gone.title', { name: last.name })} text={t('gone.text')} />;
  if (stores.data) return <Absent title={t('absent.title')} text={t('absent.text', { id })} />;
  if (liveness === 'offline') {
    return <Absent title={t('offline.title')} text={t('offline.text')} />;
  }
  return (
    <Stack>
      <VisuallyHidden component="h1">{t('loading')}</VisuallyHidden>
      <Skeleton h={36} w="40%" />
      <Skeleton h={20} w="60%" />
      <Skeleton h={320} mt="md" />
    </Stack>
  );
}

function useTitle(name: string) {
  const t = useTranslations('app');
  const app = t('name');
  useEffect(() => {
    document.title = `${name} · ${app}`;
    return () => {
      document.title = app;
    };
  }, [name, app]);
}

function Absent({ title, text }: { title: string; text: string }) {
  const t = useTranslations('store');
  const heading = useRef<HTMLHeadingElement>(null);
  // The element with the focus no longer exists.
  useEffect(() => heading.current?.focus(), []);
  return (
    <Stack align="center" ta="center" py={64} gap="sm">
      <Title order={1} fz={26} ref={heading} tabIndex={-1} className={`untrusted ${classes.quiet}`}>
        {title}
      </Title>
      <Text c="dimmed" maw={480} className="untrusted">
        {text}
      </Text>
      <Button
        renderRoot={(props) => <Link {...props} to="/stores" />}
        variant="default"
        mt="sm"
        leftSection={<IconArrowLeft size={18} aria-hidden />}
      >
        {t('back')}
      </Button>
    </Stack>
  );
}

function Known({ store }: { store: Store }) {
  const t = useTranslations('store');
  const tStatus = useTranslations('status');
  const operator = useMay('operator');
  const { status } = store;
  const statusName = isKnown(status) ? tStatus(status) : status;
  const served = status === 'ready' || status === 'degraded';
  return (
    <StoreContext value={store}>
      <Stack gap="lg" data-store={store.id}>
        <header>
          <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/stores" />} className={classes.back}>
            <IconArrowLeft size={16} aria-hidden /> {t('back')}
          </Anchor>
          <Group justify="space-between" align="flex-start" gap="md" mt={6}>
            <Box className={classes.who}>
              <Group gap="sm" align="center">
                <Title order={1} className="untrusted">
                  {store.name}
                </Title>
                <StatusBadge status={status} />
              </Group>
              <Group component="dl" gap="xs" className={classes.facts}>
                <Fact name={t('fact.engine')}>{store.engine}</Fact>
                {store.owner && (
                  <Fact name={t('fact.owner')} shown>
                    <span className="untrusted">{store.owner.replace(/^(user|team):/, '')}</span>
                  </Fact>
                )}
                <Fact name={t('fact.created')} shown>
                  <Ago time={store.createdAt} />
                </Fact>
                <Fact name={t('fact.id')}>
                  <CopyId id={store.id} />
                </Fact>
              </Group>
            </Box>
            <Group gap="xs" align="flex-start">
              {served && store.urls.storefront && (
                <Button
                  component="a"
                  href={store.urls.storefront}
                  target="_blank"
                  rel="noopener noreferrer"
                  rightSection={<IconExternalLink size={16} aria-hidden />}
                >
                  {t('openShop')}
                </Button>
              )}
              {operator && status === 'failed' && <RetryButton store={store} />}
              {operator && served && <RestartButton store={store} />}
              {operator && status !== 'deleting' && <DeleteStore store={store} />}
            </Group>
          </Group>
        </header>
        <VisuallyHidden role="status">{t('announce', { status: statusName })}</VisuallyHidden>
        <nav aria-label={t('tabs.label')}>
          <ul className={classes.tabs}>
            <Tab to="/stores/$id" id={store.id} icon={<IconLayoutGrid size={17} aria-hidden />}>
              {t('tabs.overview')}
            </Tab>
            <Tab to="/stores/$id/events" id={store.id} icon={<IconHistory size={17} aria-hidden />}>
              {t('tabs.events')}
            </Tab>
            {operator && (
              <Tab to="/stores/$id/logs" id={store.id} icon={<IconTerminal2 size={17} aria-hidden />}>
                {t('tabs.logs')}
              </Tab>
            )}
            <Tab to="/stores/$id/objects" id={store.id} icon={<IconBinaryTree2 size={17} aria-hidden />}>
              {t('tabs.objects')}
            </Tab>
            {operator && (
              <Tab to="/stores/$id/settings" id={store.id} icon={<IconAdjustments size={17} aria-hidden />}>
                {t('tabs.settings')}
              </Tab>
            )}
            <Tab to="/stores/$id/history" id={store.id} icon={<IconVersions size={17} aria-hidden />}>
              {t('tabs.history')}
            </Tab>
          </ul>
        </nav>
        <Outlet />
      </Stack>
    </StoreContext>
  );
}

function Fact({ name, shown, children }: { name: string; shown?: boolean; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      {shown ? <dt>{name}</dt> : <VisuallyHidden component="dt">{name}</VisuallyHidden>}
      <dd>{children}</dd>
    </div>
  );
}

interface TabProps {
  to:
    | '/stores/$id'
    | '/stores/$id/events'
    | '/stores/$id/logs'
    | '/stores/$id/objects'
    | '/stores/$id/settings'
    | '/stores/$id/history';
  id: string;
  icon: ReactNode;
  children: ReactNode;
}

function Tab({ to, id, icon, children }: TabProps) {
  return (
    <li>
      <Link
        to={to}
        params={{ id }}
        activeOptions={{ exact: true, includeSearch: false }}
        className={classes.tab}
        resetScroll={false}
      >
        {icon}
        {children}
      </Link>
    </li>
  );
}
