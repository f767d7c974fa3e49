// The progress of a store's creation, step by step, and the reason if it is blocked.
import { Text, VisuallyHidden } from '@mantine/core';
import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleXFilled,
  IconHelpCircle,
  IconLoader2,
} from '@tabler/icons-react';
import { useNow, useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { duration } from '../texts/duration';
import { Card } from './Card';
import { Problem } from './Problem';
import { Ago } from './Time';
import { culprit, steps, type Step, type StepState } from './pipeline';
import { plainReason } from './reasons';
import { usePartName } from './words';
import classes from './Pipeline.module.css';

const ICON = {
  done: IconCircleCheckFilled,
  running: IconLoader2,
  waiting: IconCircleDashed,
  stalled: IconAlertTriangleFilled,
  failed: IconCircleXFilled,
  unknown: IconHelpCircle,
} as const satisfies Record<StepState, unknown>;

export function Pipeline({ store }: { store: Store }) {
  const t = useTranslations('store.pipeline');
  const now = useNow({ updateInterval: store.status === 'provisioning' ? 1000 : 30_000 }).getTime();
  const created = Date.parse(store.createdAt);
  const readyAt = store.readyAt ? Date.parse(store.readyAt) : undefined;
  // The browser's clock may be behind the server's.
  const all = steps(store, Math.max(now, created));
  const until = readyAt ?? Math.max(now, created + 1000, ...all.map((step) => step.to ?? 0));
  const wrong = culprit(all);
  const inTime =
    store.status !== 'failed' && all.every((step) => step.again === undefined || step.kind === 'smoke');
  return (
    <Card
      title={t('title')}
      aside={
        <Text size="sm" c="dimmed" data-total>
          {readyAt !== undefined && t('took', { duration: duration(readyAt - created) })}
          {store.status === 'provisioning' && t('since', { duration: duration(Math.max(0, now - created)) })}
        </Text>
      }
    >
      {(wrong || store.status === 'failed' || store.status === 'degraded') && (
        <Problem store={store} step={wrong} />
      )}
      <ol className={classes.steps}>
        {all.map((step) => (
          <Row
            key={step.key}
            step={step}
            now={now}
            span={inTime ? { from: created, to: until } : undefined}
          />
        ))}
      </ol>
    </Card>
  );
}

interface Span {
  from: number;
  to: number;
}

function Row({ step, now, span }: { step: Step; now: number; span?: Span | undefined }) {
  const t = useTranslations('store.pipeline');
  const name = usePartName();
  const Icon = ICON[step.state];
  return (
    <li className={classes.step} data-step={step.key} data-state={step.state}>
      <span className={classes.icon}>
        <Icon size={24} aria-hidden />
      </span>
      <div className={classes.what}>
        <Text fw={600} size="sm">
          {name(step.key)}
          <VisuallyHidden>: {t(`state.${step.state}`)}</VisuallyHidden>
        </Text>
        <Text size="xs" c="dimmed">
          <Hint step={step} />
        </Text>
      </div>
      {span && step.from !== undefined && <Bar from={step.from} to={step.to ?? now} span={span} />}
      <Text size="sm" className={classes.time}>
        <Time step={step} now={now} />
      </Text>
    </li>
  );
}

function Hint({ step }: { step: Step }) {
  const t = useTranslations('store');
  const reason = step.why && plainReason(step.why.reason, step.why.message);
  if (step.state === 'done' || step.state === 'waiting' || !step.why) {
    return t(`pipeline.hint.${step.kind}`, { done: String(step.state === 'done') });
  }
  return reason ? t(`reason.${reason}.what`) : <span className="untrusted">{step.why.reason}</span>;
}

/** The duration of a step, counted while it runs. After a recovery, the time since then. */
function Time({ step, now }: { step: Step; now: number }) {
  const t = useTranslations('store.pipeline');
  if (step.again !== undefined) return <Ago time={new Date(step.again).toISOString()} />;
  if (step.from !== undefined && step.to !== undefined) {
    const took = step.to - step.from;
    return took < 500 ? t('atOnce') : duration(took);
  }
  if (step.from !== undefined) return duration(Math.max(0, now - step.from));
  return t(`state.${step.state}`);
}

/** A bar that shows the step's place in the total time. The text says the same. */
function Bar({ from, to, span }: { from: number; to: number; span: Span }) {
  const whole = span.to - span.from;
  const share = (ms: number) => `${Math.min(100, Math.max(0, (ms / whole) * 100))}%`;
  return (
    <span className={classes.track} aria-hidden>
      <span
        className={classes.bar}
        style={{
          insetInlineStart: share(Math.min(from - span.from, whole * 0.98)),
          inlineSize: share(to - from),
        }}
      />
    </span>
  );
}
