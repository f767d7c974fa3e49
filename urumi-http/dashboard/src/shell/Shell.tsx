// The frame of every page: navigation, the state of the live connection, and the signed-in user.
import {
  ActionIcon,
  Anchor,
  AppShell,
  Box,
  Burger,
  Button,
  Group,
  NavLink,
  Stack,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconBuildingStore,
  IconLayoutDashboard,
  IconLogout,
  IconMoon,
  IconPlus,
  IconSun,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { LiveBadge } from '../live/LiveBadge';
import { useToken } from '../session/session';
import { signOut } from '../session/signOut';
import { useMay, useRoleName, whoamiQuery } from '../session/whoami';
import { Logo } from './Logo';
import { Notices } from './Notices';

export function Shell({ children }: { children: ReactNode }) {
  const t = useTranslations();
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const mayCreate = useMay('operator');
  useEffect(close, [pathname, close]);
  const at = (path: string) =>
    pathname === path || (path === '/stores' && /^\/stores\/(?!new$)/.test(pathname));
  const page = (to: '/' | '/stores' | '/stores/new', label: string, Icon: typeof IconPlus) => (
    <NavLink
      component={Link}
      to={to}
      label={label}
      leftSection={<Icon size={18} aria-hidden />}
      // Otherwise the router would also mark links to parents of the current page.
      activeOptions={{ exact: true, includeSearch: false }}
      active={at(to)}
    />
  );

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
    >
      <Button component="a" href="#content" className="skip-link">
        {t('app.skip')}
      </Button>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t('nav.menu')}
              aria-expanded={opened}
            />
            <Anchor component={Link} to="/" underline="never" c="inherit">
              <Group gap={8} wrap="nowrap">
                <Logo />
                <Text fw={700} size="lg">
                  {t('app.name')}
                </Text>
              </Group>
            </Anchor>
          </Group>
          <Group gap="md" wrap="nowrap">
            <LiveBadge />
            <SchemeSwitch />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label={t('nav.menu')}>
        <AppShell.Section grow>
          {page('/', t('nav.overview'), IconLayoutDashboard)}
          {page('/stores', t('nav.stores'), IconBuildingStore)}
          {mayCreate && page('/stores/new', t('nav.create'), IconPlus)}
        </AppShell.Section>
        <AppShell.Section>
          <Who />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Box maw={1200} mx="auto">
          <Notices />
          {children}
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}

function SchemeSwitch() {
  const t = useTranslations('scheme');
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={t(other)}
      title={t(other)}
      onClick={() => setColorScheme(other)}
    >
      {other === 'dark' ? <IconMoon size={20} aria-hidden /> : <IconSun size={20} aria-hidden />}
    </ActionIcon>
  );
}

function Who() {
  const t = useTranslations();
  const roleName = useRoleName();
  const { data: who } = useQuery(whoamiQuery);
  const token = useToken();
  return (
    <Stack gap="xs">
      {who && (
        <Text size="xs" c="dimmed">
          <span className="untrusted">{who.subject}</span> · {roleName(who.role)}
        </Text>
      )}
      {token !== null && (
        <Button
          variant="subtle"
          color="gray"
          size="xs"
          justify="flex-start"
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={signOut}
        >
          {t('signIn.out')}
        </Button>
      )}
    </Stack>
  );
}
