// One revision of the history.
import { Badge, Box, Group, Stack, Text, Title } from '@mantine/core';
import { useFormatter, useTranslations } from 'use-intl';
import type { Store } from '../../api/types';
import { useMay } from '../../session/whoami';
import { ChangeList } from '../ChangeList';
import { Ago } from '../Time';
import type { Entry as HistoryEntry } from './entries';
import { ReturnTo } from './ReturnTo';
import classes from './HistoryTab.module.css';

/** Who requests what urumi does by itself. */
const URUMI = 'urumi';

export function Entry({ store, entry }: { store: Store; entry: HistoryEntry }) {
  const t = useTranslations('store.history');
  const format = useFormatter();
  const operator = useMay('operator');
  const { revision, name } = entry;
  const { number, at, by, reason, restores, current, failure, changes } = revision;
  return (
    <li className={classes.entry} data-revision={number}>
      <Group justify="space-between" align="flex-start" gap="md">
        <Box className={classes.what}>
          <Group gap="xs">
            <Title order={3} fz="md">
              {t('revision', { number })}
            </Title>
            {current && (
              <Badge variant="light" tt="none">
                {t('present')}
              </Badge>
            )}
            {failure && (
              <Badge color="red.9" tt="none">
                {t('failed')}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed" className="untrusted">
            <Ago time={at} /> · {format.dateTime(new Date(at), { dateStyle: 'medium', timeStyle: 'short' })}
            {by && <> · {by === URUMI ? t('byItself') : t('by', { who: by })}</>}
          </Text>
          <Stack gap={6} mt="xs">
            {reason && (
              <Text size="sm" className="untrusted">
                {reason}
              </Text>
            )}
            {restores && <Text size="sm">{t('restores', { number: restores })}</Text>}
            {failure && (
              <Text size="sm" c="var(--mantine-color-error)" className="untrusted">
                {t('failure', { reason: failure })}
              </Text>
            )}
            {(name || changes.length > 0) && <ChangeList name={name} options={changes} />}
            {!name && changes.length === 0 && (
              <Text size="sm" c="dimmed">
                {t(entry.compared ? 'nothing' : number === 1 ? 'created' : 'oldest')}
              </Text>
            )}
          </Stack>
        </Box>
        {operator && !current && store.status !== 'deleting' && <ReturnTo store={store} number={number} />}
      </Group>
    </li>
  );
}
