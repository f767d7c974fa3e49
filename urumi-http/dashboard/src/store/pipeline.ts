// The steps of a store's creation, computed from its conditions, for any engine.
import type { Condition, Store } from '../api/types';
import { isConsequence, isOrdinary, isPassing } from './reasons';

/**
 * `done`; `running` without a problem; `waiting` for an earlier step; `stalled` by a problem; `failed` after the store
 * was given up; `unknown` if the cluster gives no information.
 */
export type StepState = 'done' | 'running' | 'waiting' | 'stalled' | 'failed' | 'unknown';

export interface Step {
  /** `record`, a component's name, `addresses` or `smoke`. */
  key: string;
  kind: 'record' | 'component' | 'addresses' | 'smoke';
  state: StepState;
  /** The start of the step in ms; none while it waits. */
  from?: number;
  /** The end of the step in ms; none while it runs, or if it is not known. */
  to?: number;
  /** The time of the recovery, if the step failed after it was done. */
  again?: number;
  /** The reason why the step is not done. */
  why?: { reason: string; message: string };
}

/** The time after which a usually temporary problem counts as stalled. */
const PASSING_MS = 60_000;

/** `ProofOfLifeReady` → `proof-of-life`; none for conditions that are not about a component. */
export function componentOf(type: string): string | undefined {
  const words = /^(.+)Ready$/.exec(type)?.[1];
  return words?.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
}

/** The names of the store's components, in the order of creation. */
export function componentsOf(store: Store): string[] {
  return store.conditions.flatMap(({ type }) => componentOf(type) ?? []);
}

const find = (store: Store, type: string) => store.conditions.find((c) => c.type === type);
const time = (text: string) => Date.parse(text);

export function steps(store: Store, now: number): Step[] {
  const made = record(store, now);
  const start = made.to ?? time(store.createdAt);
  const steps = [made];
  for (const condition of store.conditions) {
    const key = componentOf(condition.type);
    if (key === undefined) continue;
    const before = steps.every((step) => step.state === 'done');
    steps.push({ key, kind: 'component', ...judge(store, condition, start, before, now) });
  }
  const served = find(store, 'AddressesServed');
  if (served) steps.push(addresses(store, served, steps, now));
  blameDeadline(store, steps);
  const smoke = find(store, 'SmokeTest');
  if (smoke) {
    const well = smoke.status === 'True';
    steps.push({
      key: 'smoke',
      kind: 'smoke',
      state: well ? 'done' : 'failed',
      again: time(smoke.lastTransitionTime),
      ...(!well && { why: why(smoke) }),
    });
  }
  return steps;
}

function record(store: Store, now: number): Step {
  const from = time(store.createdAt);
  const objects = find(store, 'ObjectsCreated');
  if (!objects) return { key: 'record', kind: 'record', state: 'running', from };
  return { key: 'record', kind: 'record', ...judge(store, objects, from, true, now) };
}

function judge(
  store: Store,
  condition: Condition,
  start: number,
  before: boolean,
  now: number,
): Omit<Step, 'key' | 'kind'> {
  const changed = time(condition.lastTransitionTime);
  if (condition.status === 'True') {
    // A change after the store was first ready means that the step was broken since then.
    const firstReady = store.readyAt ? time(store.readyAt) : Infinity;
    if (changed > firstReady) return { state: 'done', again: changed };
    return { state: 'done', from: Math.min(start, changed), to: changed };
  }
  if (condition.status === 'Unknown') return { state: 'unknown', why: why(condition) };
  if (store.status === 'ready' || store.status === 'degraded') {
    return { state: 'stalled', from: changed, why: why(condition) };
  }
  const { reason } = condition;
  if (store.status === 'failed') {
    const innocent = isOrdinary(reason) || (!before && isConsequence(reason));
    return { state: innocent ? 'waiting' : 'failed', why: why(condition) };
  }
  if (!before && isConsequence(reason)) return { state: 'waiting' };
  const early = isPassing(reason) && now - Math.max(start, changed) < PASSING_MS;
  return { state: isOrdinary(reason) || early ? 'running' : 'stalled', from: start, why: why(condition) };
}

/** Addresses work only when there is something behind them, even if an Ingress controller was found earlier. */
function addresses(store: Store, condition: Condition, before: Step[], now: number): Step {
  const ends = before.map((step) => step.to);
  const all = before.every((step) => step.state === 'done');
  const step = { key: 'addresses', kind: 'addresses' } as const;
  if (condition.status !== 'False' && !all) return { ...step, state: 'waiting' };
  const start = Math.max(...ends.map((end) => end ?? time(store.createdAt)));
  const judged = judge(store, condition, start, true, now);
  if (judged.state !== 'done' || judged.again !== undefined) return { ...step, ...judged };
  const known = ends.every((end) => end !== undefined);
  return { ...step, state: 'done', ...(known && { from: start, to: Math.max(start, judged.to ?? start) }) };
}

/** If the deadline passed without a known problem, the first unfinished step has failed. */
function blameDeadline(store: Store, steps: Step[]) {
  if (store.status !== 'failed' || steps.some((step) => step.state === 'failed')) return;
  const late = steps.find((step) => step.state !== 'done' && step.state !== 'unknown');
  const ready = find(store, 'Ready');
  if (!late || !ready) return;
  late.state = 'failed';
  late.why = why(ready);
}

const why = ({ reason, message }: Condition) => ({ reason, message: message ?? '' });

/** The step that blocks the store, if there is one. */
export function culprit(steps: Step[]): Step | undefined {
  return steps.find((step) => step.state === 'failed' || step.state === 'stalled');
}
