// Renders only the visible rows: a thousand stores cost as much as twenty.
import { Anchor, Box, Group, Text, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconExternalLink } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState } from 'react';
import { useFormatter, useNow, useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { StatusBadge } from './StatusBadge';
import { USUAL, type Column, type Selection, type Sort } from './selection';
import classes from './StoresTable.module.css';

const ROW_PX = 53;

interface Props {
  stores: Store[];
  selection: Selection;
  onSort: (sort: Sort) => void;
}

export function StoresTable({ stores, selection, onSort }: Props) {
  const t = useTranslations('stores');
  const table = useRef<HTMLTableElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop(table.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({
    count: stores.length,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => stores[index]?.id ?? index,
    overscan: 10,
    scrollMargin: top,
  });
  const items = rows.getVirtualItems();
  const before = (items[0]?.start ?? top) - top;
  const after = rows.getTotalSize() - ((items.at(-1)?.end ?? top) - top);
  const heading = (column: Column, className?: string) => (
    <Heading column={column} sort={selection.sort ?? USUAL} onSort={onSort} className={className} />
  );
  return (
    <Box className={classes.frame}>
      <table ref={table} aria-rowcount={stores.length + 1} aria-label={t('title')} className={classes.table}>
        <thead>
          <tr aria-rowindex={1}>
            {heading('name')}
            {heading('status', classes.status)}
            {heading('engine', classes.wide)}
            {heading('created', classes.wide)}
            <th scope="col" className={classes.wide}>
              {t('column.links')}
            </th>
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Space height={before} />}
          {items.map(({ index, key }) => {
            const store = stores[index];
            return (
              store && (
                <Row key={key} store={store} index={index + 2} measure={rows.measureElement} at={index} />
              )
            );
          })}
          {after > 0 && <Space height={after} />}
        </tbody>
      </table>
    </Box>
  );
}

function Space({ height }: { height: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={5} style={{ height, padding: 0 }} />
    </tr>
  );
}

function Heading(props: {
  column: Column;
  sort: Sort;
  onSort: (sort: Sort) => void;
  className?: string | undefined;
}) {
  const { column, sort, onSort, className } = props;
  const t = useTranslations('stores');
  const [up, down] = [sort === column, sort === `-${column}`];
  const Icon = up ? IconArrowUp : down ? IconArrowDown : IconArrowsSort;
  return (
    <th scope="col" aria-sort={up ? 'ascending' : down ? 'descending' : undefined} className={className}>
      <UnstyledButton
        fz="sm"
        fw={600}
        onClick={() => onSort(up ? `-${column}` : column)}
        className={classes.sort}
      >
        {t(`column.${column}`)}
        <Icon size={14} aria-hidden />
      </UnstyledButton>
    </th>
  );
}

interface RowProps {
  store: Store;
  index: number;
  at: number;
  measure: (row: HTMLTableRowElement | null) => void;
}

function Row({ store, index, at, measure }: RowProps) {
  const t = useTranslations('stores');
  const format = useFormatter();
  const now = useNow({ updateInterval: 30_000 });
  const created = new Date(store.createdAt);
  return (
    <tr ref={measure} data-index={at} aria-rowindex={index} data-store={store.id}>
      <td>
        <Anchor
          renderRoot={(props) => <Link {...props} to="/stores/$id" params={{ id: store.id }} />}
          size="sm"
          fw={600}
          className={`untrusted ${classes.name}`}
        >
          {store.name}
        </Anchor>
        <Text size="xs" c="dimmed" className={classes.id}>
          {store.id}
        </Text>
      </td>
      <td className={classes.status}>
        <StatusBadge status={store.status} />
        {store.reason && (
          <Text size="xs" c="dimmed" className={`untrusted ${classes.reason}`} title={store.reason}>
            {store.reason}
          </Text>
        )}
      </td>
      <td className={classes.wide}>{store.engine}</td>
      <td className={classes.wide}>
        <time
          dateTime={store.createdAt}
          title={format.dateTime(created, { dateStyle: 'medium', timeStyle: 'medium' })}
        >
          {format.relativeTime(Math.min(created.getTime(), now.getTime()), now)}
        </time>
      </td>
      <td className={classes.wide}>
        <Group gap="sm">
          <Outside to={store.urls.storefront} label={t('storefront')} store={store} />
          <Outside to={store.urls.api} label={t('api')} store={store} />
        </Group>
      </td>
    </tr>
  );
}

/** A link to one of the store's addresses, as soon as the store answers. */
function Outside({ to, label, store }: { to: string | null | undefined; label: string; store: Store }) {
  const t = useTranslations('stores');
  if (!to || (store.status !== 'ready' && store.status !== 'degraded')) return null;
  return (
    <Anchor
      href={to}
      target="_blank"
      rel="noopener noreferrer"
      size="sm"
      aria-label={t('open', { what: label, name: store.name })}
    >
      <Group gap={4} wrap="nowrap">
        {label}
        <IconExternalLink size={14} aria-hidden />
      </Group>
    </Anchor>
  );
}
