// Places a test order in a store and shows the result.
import { Alert, Button, Group, Loader, Stack, Text, VisuallyHidden } from '@mantine/core';
import { IconCircleCheckFilled, IconCircleXFilled, IconShoppingCart } from '@tabler/icons-react';
import { useMutation, useMutationState } from '@tanstack/react-query';
import { useFormatter, useNow, useTranslations } from 'use-intl';
import { api, body } from '../api/client';
import { explain } from '../api/errors';
import type { SmokeReport, Store } from '../api/types';
import { duration } from '../texts/duration';
import { Card } from './Card';
import { Copy } from './Copy';
import { Ago } from './Time';
import { humanised } from './words';
import classes from './TestOrder.module.css';

export function TestOrder({ store }: { store: Store }) {
  const t = useTranslations('store.smoke');
  const mutationKey = ['smoke', store.id];
  const { mutate } = useMutation({
    mutationKey,
    mutationFn: () => body(api.POST('/stores/{id}/smoke', { params: { path: { id: store.id } } })),
  });
  // Stored in the cache, because the order continues while another tab is open.
  const last = useMutationState({
    filters: { mutationKey },
    select: ({ state }) => ({
      pending: state.status === 'pending',
      since: state.submittedAt,
      report: state.data as SmokeReport | undefined,
      error: state.error,
    }),
  }).at(-1);
  const can = store.status === 'ready' || store.status === 'degraded';
  return (
    <Card
      title={t('title')}
      aside={
        <Button
          size="xs"
          variant="default"
          disabled={!can || last?.pending}
          onClick={() => mutate()}
          leftSection={<IconShoppingCart size={16} aria-hidden />}
        >
          {t(last ? 'again' : 'start')}
        </Button>
      }
    >
      {!last && (
        <Text size="sm" c="dimmed">
          {t(can ? 'about' : 'later')}
        </Text>
      )}
      {last?.pending && <Running since={last.since} />}
      {last?.error && (
        <Alert color="red" role="alert">
          <span className="untrusted">{explain(last.error)}</span>
        </Alert>
      )}
      {last?.report && <Report report={last.report} since={last.since} />}
    </Card>
  );
}

function Running({ since }: { since: number }) {
  const t = useTranslations('store.smoke');
  const now = useNow({ updateInterval: 1000 });
  return (
    <Group gap="sm" wrap="nowrap">
      <Loader size="sm" aria-hidden />
      <Text size="sm" role="status" flex={1}>
        {t('running')}
      </Text>
      <Text size="sm" c="dimmed">
        {duration(Math.max(0, now.getTime() - since))}
      </Text>
    </Group>
  );
}

function Report({ report, since }: { report: SmokeReport; since: number }) {
  const t = useTranslations('store.smoke');
  const format = useFormatter();
  const failed = report.steps.some((step) => step.error);
  const took = (ms: number) =>
    ms < 1000
      ? format.number(ms, { style: 'unit', unit: 'millisecond', unitDisplay: 'narrow' })
      : format.number(ms / 1000, {
          style: 'unit',
          unit: 'second',
          unitDisplay: 'narrow',
          maximumFractionDigits: 1,
        });
  const all = report.steps.reduce((sum, step) => sum + step.milliseconds, 0);
  return (
    <Stack gap="sm" data-smoke={failed ? 'failed' : 'succeeded'}>
      <Text size="sm" fw={600} role="status">
        {t(failed ? 'failed' : 'succeeded', { duration: took(all) })}
      </Text>
      <ol className={classes.steps}>
        {report.steps.map((step, index) => (
          <li key={index} className={classes.step} data-failed={step.error ? true : undefined}>
            {step.error ? (
              <IconCircleXFilled size={18} aria-hidden className={classes.icon} />
            ) : (
              <IconCircleCheckFilled size={18} aria-hidden className={classes.icon} />
            )}
            <div className={classes.what}>
              <Text size="sm" className="untrusted">
                {humanised(step.name)}
                <VisuallyHidden>: {t(step.error ? 'stepFailed' : 'stepDone')}</VisuallyHidden>
              </Text>
              {step.error && (
                <Text size="sm" c="var(--mantine-color-error)" className="untrusted">
                  {step.error}
                </Text>
              )}
            </div>
            <Text size="sm" c="dimmed" className={classes.time}>
              {took(step.milliseconds)}
            </Text>
          </li>
        ))}
      </ol>
      <Group justify="space-between" gap="xs">
        {report.order && (
          <Group gap={4} wrap="nowrap" className={classes.what}>
            <Text size="xs" c="dimmed" className="untrusted">
              {t('order', { order: report.order })}
            </Text>
            <Copy value={report.order} what={t('orderId')} />
          </Group>
        )}
        <Text size="xs" c="dimmed">
          <Ago time={new Date(since).toISOString()} />
        </Text>
      </Group>
    </Stack>
  );
}
