// The desired state of one object, and the fields that differ on the cluster.
import { Box, Code, Group, SegmentedControl, Stack, Table, Text, Title } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { stringify } from 'yaml';
import { Copy } from '../Copy';
import type { Difference, Leaf } from './tree';
import classes from './ObjectView.module.css';

const route = getRouteApi('/stores/$id/objects');

export function ObjectView({ leaf }: { leaf: Leaf }) {
  const t = useTranslations('store.objects');
  const { as = 'yaml' } = route.useSearch();
  const navigate = route.useNavigate();
  const { object, difference } = leaf;
  const text = useMemo(
    () => (as === 'json' ? JSON.stringify(object, null, 2) : stringify(object, { lineWidth: 0 })),
    [as, object],
  );
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="xs">
        <Box className={classes.title}>
          <Title order={3} fz="md" className="untrusted">
            {object.metadata.name}
          </Title>
          <Text size="xs" c="dimmed">
            {object.kind} · {object.apiVersion}
          </Text>
        </Box>
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label={t('format')}
            value={as}
            onChange={(as) =>
              void navigate({
                search: (before) => ({ ...before, as: as === 'json' ? 'json' : undefined }),
                replace: true,
                resetScroll: false,
              })
            }
            data={[
              { value: 'yaml', label: 'YAML' },
              { value: 'json', label: 'JSON' },
            ]}
          />
          <Copy value={text} what={leaf.key} />
        </Group>
      </Group>
      {difference && <Differences difference={difference} />}
      <Code block tabIndex={0} className={classes.text}>
        {text}
      </Code>
    </Stack>
  );
}

function Differences({ difference }: { difference: Difference }) {
  const t = useTranslations('store.objects');
  const shown = (value: unknown) => (value === undefined ? t('nothing') : JSON.stringify(value));
  if (difference.action === 'create') return <Text size="sm">{t('toCreate')}</Text>;
  return (
    <Table.ScrollContainer minWidth={420} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table fz="xs" aria-label={t('fields')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('field')}</Table.Th>
            <Table.Th scope="col">{t('desired')}</Table.Th>
            <Table.Th scope="col">{t('actual')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {difference.fields?.map(({ path, desired, actual }) => (
            <Table.Tr key={path}>
              <Table.Td className="untrusted">{path}</Table.Td>
              <Table.Td className="untrusted">{shown(desired)}</Table.Td>
              <Table.Td className="untrusted">{shown(actual)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
