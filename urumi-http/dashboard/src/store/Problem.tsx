// The problem of a store and its fix in plain words. Kubernetes' message is one click away.
import { Alert, Anchor, Button, Code, Collapse, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useId } from 'react';
import { useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { useMay } from '../session/whoami';
import type { Step } from './pipeline';
import { plainReason } from './reasons';
import { usePartName } from './words';
import classes from './Problem.module.css';

export function Problem({ store, step }: { store: Store; step: Step | undefined }) {
  const t = useTranslations('store');
  const name = usePartName();
  const operator = useMay('operator');
  const [opened, { toggle }] = useDisclosure();
  const details = useId();
  const ready = store.conditions.find((condition) => condition.type === 'Ready');
  const why = step?.why ?? ready;
  if (!why) return null;
  const reason = plainReason(why.reason, why.message);
  const grave = store.status === 'failed';
  return (
    <Alert
      color={grave ? 'red' : 'yellow'}
      variant="light"
      mb="md"
      icon={<IconAlertTriangle aria-hidden />}
      title={t(grave ? 'problem.failed' : 'problem.stalled', {
        part: step ? name(step.key) : t('problem.store'),
      })}
      className={classes.problem}
      data-grave={grave || undefined}
      data-problem={why.reason}
    >
      <Stack gap="xs">
        <Text size="sm">
          {reason ? (
            t(`reason.${reason}.what`)
          ) : (
            <span className="untrusted">{why.message || why.reason}</span>
          )}
        </Text>
        <Text size="sm">{t(reason ? `reason.${reason}.todo` : 'problem.todo')}</Text>
        <Group gap="md">
          <Button
            variant="subtle"
            color="gray"
            c="inherit"
            size="compact-sm"
            ml={-8}
            onClick={toggle}
            aria-expanded={opened}
            aria-controls={details}
            rightSection={
              opened ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />
            }
          >
            {t('problem.details')}
          </Button>
          {operator && step?.kind === 'component' && (
            <Anchor
              size="sm"
              c="inherit"
              underline="always"
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="/stores/$id/logs"
                  params={{ id: store.id }}
                  search={{ component: step.key }}
                />
              )}
            >
              {t('problem.logs')}
            </Anchor>
          )}
          <Anchor
            size="sm"
            c="inherit"
            underline="always"
            renderRoot={(props) => <Link {...props} to="/stores/$id/events" params={{ id: store.id }} />}
          >
            {t('problem.events')}
          </Anchor>
        </Group>
        <Collapse expanded={opened} id={details}>
          <Text size="sm" fw={600} className="untrusted">
            {why.reason}
          </Text>
          <Code block className="untrusted" mt={4} style={{ whiteSpace: 'pre-wrap' }} tabIndex={0}>
            {why.message || why.reason}
          </Code>
        </Collapse>
      </Stack>
    </Alert>
  );
}
