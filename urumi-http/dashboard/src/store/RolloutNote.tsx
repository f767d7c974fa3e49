// What became of the newest change of a store: it is being rolled out, in force, or taken back.
import { Alert, Anchor, Loader, Text } from '@mantine/core';
import { IconAlertTriangle, IconArrowBackUp, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { rolloutOf } from './rollout';

const COLOUR = { rolling: 'blue', done: 'green', failed: 'red', rolledBack: 'yellow', outdated: 'gray' };
const ICON = {
  done: IconCircleCheck,
  failed: IconAlertTriangle,
  rolledBack: IconArrowBackUp,
  outdated: IconInfoCircle,
};

interface NoteProps {
  store: Store;
  /** Whether it also says that all is well. */
  praises?: boolean;
  /** Whether it has a link to the history. */
  linked?: boolean;
}

export function RolloutNote({ store, praises, linked }: NoteProps) {
  const t = useTranslations('store.rollout');
  const rollout = rolloutOf(store);
  if (!rollout || (rollout.state === 'done' && !praises)) return null;
  const { state, revision, message } = rollout;
  const Icon = state === 'rolling' ? undefined : ICON[state];
  const hint = state === 'done' || state === 'failed' || state === 'rolledBack' ? t(`${state}Hint`) : '';
  return (
    <Alert
      color={COLOUR[state]}
      variant="light"
      role="status"
      mb="md"
      icon={Icon ? <Icon aria-hidden /> : <Loader size={18} aria-hidden />}
      title={
        // Light colours on their own background are hard to read.
        <Text inherit component="span" c="var(--mantine-color-text)">
          {t(state, { revision })}
        </Text>
      }
      data-rollout={state}
    >
      {(message || state === 'rolling') && (
        <Text size="sm" className="untrusted">
          {message || t('begins')}
        </Text>
      )}
      {hint && <Text size="sm">{hint}</Text>}
      {linked && (
        <Anchor
          size="sm"
          c="inherit"
          underline="always"
          renderRoot={(props) => <Link {...props} to="/stores/$id/history" params={{ id: store.id }} />}
        >
          {t('history')}
        </Anchor>
      )}
    </Alert>
  );
}
