// A store's addresses, and whether they work.
import { ActionIcon, Anchor, Group, Stack, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { useMay } from '../session/whoami';
import { Card } from './Card';
import { Copy } from './Copy';
import { credentialsQuery } from './credentialsQuery';
import { health, type Health } from './health';
import { HealthMark } from './HealthMark';
import classes from './Addresses.module.css';

export function Addresses({ store }: { store: Store }) {
  const t = useTranslations('store.addresses');
  const operator = useMay('operator');
  const admin = useQuery({ ...credentialsQuery(store.id), enabled: operator });
  const { storefront, api } = store.urls;
  return (
    <Card title={t('title')}>
      <Stack component="ul" gap="sm" m={0} p={0} className="listless">
        {storefront && (
          <Address name={t('storefront')} url={storefront} health={health(store, 'storefront')} />
        )}
        {admin.data && <Address name={t('admin')} url={admin.data.address} health={health(store, 'api')} />}
        {api && <Address name={t('api')} url={api} health={health(store, 'api')} />}
      </Stack>
      {!storefront && !api && (
        <Text size="sm" c="dimmed">
          {t('none')}
        </Text>
      )}
    </Card>
  );
}

function Address({ name, url, health }: { name: string; url: string; health: Health }) {
  const t = useTranslations('store.addresses');
  const shown = url.replace(/^https?:\/\//, '');
  return (
    <Group component="li" wrap="nowrap" gap="sm" align="center">
      <Tooltip label={t(`health.${health}`)}>
        <span>
          <HealthMark health={health} size={20} />
          <VisuallyHidden>{t(`health.${health}`)}</VisuallyHidden>
        </span>
      </Tooltip>
      <div className={classes.what}>
        <Text size="sm" fw={600}>
          {name}
        </Text>
        {health === 'up' ? (
          <Anchor href={url} target="_blank" rel="noopener noreferrer" size="sm" className="untrusted">
            {shown}
          </Anchor>
        ) : (
          <Text size="sm" c="dimmed" className="untrusted">
            {shown}
          </Text>
        )}
      </div>
      <Group gap={2} wrap="nowrap">
        <Copy value={url} what={t('of', { name })} />
        <ActionIcon
          component="a"
          href={url}
          target="_blank"
          rel="noopener noreferrer"
          variant="subtle"
          color="gray"
          aria-label={t('open', { name })}
          title={t('open', { name })}
        >
          <IconExternalLink size={16} aria-hidden />
        </ActionIcon>
      </Group>
    </Group>
  );
}
