// The log of one component or of all: it can be followed, searched, paused and downloaded.
import {
  ActionIcon,
  Alert,
  Button,
  Checkbox,
  Group,
  NativeSelect,
  Text,
  TextInput,
  VisuallyHidden,
} from '@mantine/core';
import {
  IconArrowDown,
  IconChevronDown,
  IconChevronUp,
  IconDownload,
  IconPlayerPause,
  IconPlayerPlay,
  IconSearch,
} from '@tabler/icons-react';
import { getRouteApi } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type KeyboardEvent,
} from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import type { Store } from '../../api/types';
import { componentsOf } from '../pipeline';
import type { LogsSearch } from '../search';
import { usePartName } from '../words';
import { LogFollower, type Snapshot } from './follower';
import { asFile, matches, type Line } from './lines';
import { Marked } from './Marked';
import classes from './LogView.module.css';

const route = getRouteApi('/stores/$id/logs');
const LINE_PX = 20;

interface Props {
  store: Store;
  component: string | undefined;
  /** Changes whenever there may be other pods. */
  generation: string;
}

export function LogView({ store, component, generation }: Props) {
  const t = useTranslations('store.logs');
  const part = usePartName();
  const { q = '', wrap = false } = route.useSearch();
  const navigate = route.useNavigate();
  const [follower] = useState(() => new LogFollower(store.id, component));
  useEffect(() => follower.start(), [follower]);
  const known = useRef(generation);
  useEffect(() => {
    if (known.current !== generation) follower.reconnect();
    known.current = generation;
  }, [follower, generation]);
  const live = useSyncExternalStore(follower.subscribe, follower.snapshot);
  // The lines shown while new ones arrive. The button or scrolling up pauses the view.
  const [held, setHeld] = useState<{ snapshot: Snapshot; by: 'button' | 'scrolling' }>();
  const shown = held?.snapshot ?? live;
  const news = live.total - shown.total;
  const hold = (by: 'button' | 'scrolling') => setHeld((before) => before ?? { snapshot: live, by });

  const change = (change: LogsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });

  const found = useMemo(() => matches(shown.lines, q), [shown.lines, q]);
  const [at, setAt] = useState<number>();
  // The line's key rather than its position, because positions change when old lines are dropped.
  const place = found.findIndex((index) => shown.lines[index]?.key === at);
  const [target, setTarget] = useState<number>();
  const seek = (step: 1 | -1) => {
    if (found.length === 0) return;
    const from = place < 0 ? (step > 0 ? -1 : 0) : place;
    const index = found[(from + step + found.length) % found.length];
    if (index === undefined) return;
    hold('scrolling');
    setAt(shown.lines[index]?.key);
    setTarget(index);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    seek(event.shiftKey ? -1 : 1);
  };

  return (
    <div>
      <Group gap="sm" align="flex-end" mb="sm">
        <NativeSelect
          label={t('component')}
          value={component ?? ''}
          onChange={(event) => change({ component: event.currentTarget.value || undefined })}
          data={[
            { value: '', label: t('all') },
            ...componentsOf(store).map((name) => ({ value: name, label: part(name) })),
          ]}
        />
        <TextInput
          label={t('search')}
          value={q}
          onChange={(event) => change({ q: event.currentTarget.value || undefined })}
          onKeyDown={onKeyDown}
          leftSection={<IconSearch size={16} aria-hidden />}
          className={classes.search}
          type="search"
        />
        {q && (
          <Group gap={4} h={36} wrap="nowrap">
            <Text size="sm" role="status" className={classes.count}>
              {place < 0
                ? t('found', { count: found.length })
                : t('foundAt', { at: place + 1, count: found.length })}
            </Text>
            <ActionIcon
              variant="default"
              aria-label={t('previous')}
              title={t('previous')}
              onClick={() => seek(-1)}
              disabled={found.length === 0}
            >
              <IconChevronUp size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="default"
              aria-label={t('next')}
              title={t('next')}
              onClick={() => seek(1)}
              disabled={found.length === 0}
            >
              <IconChevronDown size={16} aria-hidden />
            </ActionIcon>
          </Group>
        )}
        <Group gap="sm" ml="auto">
          <Checkbox
            label={t('wrap')}
            checked={wrap}
            onChange={(event) => change({ wrap: event.currentTarget.checked || undefined })}
          />
          <Button
            variant="default"
            onClick={() => (held ? setHeld(undefined) : hold('button'))}
            leftSection={
              held ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />
            }
          >
            {t(held ? 'resume' : 'pause')}
          </Button>
          <Button
            variant="default"
            onClick={() => download(`${store.id}-${component ?? 'all'}.log`, asFile(live.lines))}
            disabled={live.lines.length === 0}
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t('download')}
          </Button>
        </Group>
      </Group>
      {live.phase === 'refused' && (
        <Alert color="red" role="alert" mb="sm">
          <span className="untrusted">{explain(live.error)}</span>
        </Alert>
      )}
      {live.phase === 'interrupted' && (
        <Alert color="yellow" role="alert" mb="sm" title={t('interrupted')}>
          <span className="untrusted">{explain(live.error)}</span>
        </Alert>
      )}
      <div className={classes.frame}>
        <Lines
          lines={shown.lines}
          label={t('title')}
          named={component === undefined}
          wrap={wrap}
          query={q}
          at={at}
          target={target}
          following={!held}
          onUp={() => hold('scrolling')}
          onEnd={() => held?.by === 'scrolling' && setHeld(undefined)}
        />
        {shown.lines.length === 0 && (
          <Text className={classes.empty} size="sm">
            {t(live.phase === 'live' ? 'empty' : 'loading')}
          </Text>
        )}
        {held && (
          <Button
            className={classes.newest}
            size="xs"
            radius="xl"
            onClick={() => setHeld(undefined)}
            leftSection={<IconArrowDown size={14} aria-hidden />}
          >
            {t('newest', { count: news })}
          </Button>
        )}
      </div>
      <Group justify="space-between" mt={6}>
        <Text size="xs" c="dimmed">
          {t(held ? 'still' : live.phase === 'live' ? 'following' : 'notFollowing')}
        </Text>
        <Text size="xs" c="dimmed">
          {t('lines', { count: shown.lines.length, total: shown.total })}
        </Text>
      </Group>
      <VisuallyHidden role="status">{held ? t('still') : ''}</VisuallyHidden>
    </div>
  );
}

interface LinesProps {
  lines: readonly Line[];
  label: string;
  named: boolean;
  wrap: boolean;
  query: string;
  /** The key of the found line. */
  at: number | undefined;
  /** The position of that line. */
  target: number | undefined;
  following: boolean;
  onUp: () => void;
  onEnd: () => void;
}

/** The visible lines: ten thousand lines cost as much as fifty. */
function Lines({ lines, label, named, wrap, query, at, target, following, onUp, onEnd }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const last = useRef(0);
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is memoised by the compiler
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan: 20,
    paddingStart: 8,
    paddingEnd: 8,
  });
  const size = rows.getTotalSize();
  const newest = lines.at(-1)?.key;
  useLayoutEffect(() => {
    if (following && scroller.current) scroller.current.scrollTop = size;
  }, [following, newest, size]);
  // Wrapped lines have other heights.
  const { measure, scrollToIndex } = rows;
  useLayoutEffect(() => measure(), [measure, wrap]);
  useEffect(() => {
    if (target !== undefined) scrollToIndex(target, { align: 'center' });
  }, [scrollToIndex, target, at]);
  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (element.scrollTop < last.current && left > LINE_PX) onUp();
    else if (element.scrollTop > last.current && left < 4) onEnd();
    last.current = element.scrollTop;
  };
  const items = rows.getVirtualItems();
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      data-wrap={wrap || undefined}
      onScroll={onScroll}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <div className={classes.all} style={{ height: size }}>
        <div className={classes.seen} style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
          {items.map(({ index, key }) => {
            const line = lines[index];
            if (!line) return null;
            const { from, text } = line;
            return (
              <div
                key={key}
                // Lines without wrapping all have the same height.
                ref={wrap ? rows.measureElement : undefined}
                data-index={index}
                className={classes.line}
                data-problem={from ? undefined : true}
                data-at={line.key === at || undefined}
              >
                {from && (
                  <span className={classes.from} title={`${from.pod} ${from.container}`}>
                    {named ? from.component : from.container}
                  </span>
                )}
                <span className={classes.text}>
                  <Marked text={text} query={query} />
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
