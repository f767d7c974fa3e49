// What is being made, step by step: a pure reading of a store's conditions, whatever its engine.
import type { Condition, Store } from '../api/types';
import { isConsequence, isOrdinary, isPassing } from './reasons';

/**
 * `done`; `running` without anything wrong; `waiting` for what comes before; `stalled` while something is wrong;
 * `failed` where it was given up; `unknown` where the cluster does not tell.
 */
export type StepState = 'done' | 'running' | 'waiting' | 'stalled' | 'failed' | 'unknown';

export interface Step {
  /** `record`, a component's name, `addresses` or `smoke`. */
  key: string;
  kind: 'record' | 'component' | 'addresses' | 'smoke';
  state: StepState;
  /** When its work began, in ms; none while it waits. */
  from?: number;
  /** When it was done, in ms; none while it is not, and where that is not known. */
  to?: number;
  /** Since when it is as it should be again, where it was not meanwhile. */
  again?: number;
  /** Why it is not done. */
  why?: { reason: string; message: string };
}

/** How long what usually passes may last before it is called a stall. */
const PASSING_MS = 60_000;

/** `ProofOfLifeReady` → `proof-of-life`; none for what is about no component. */
export function componentOf(type: string): string | undefined {
  const words = /^(.+)Ready$/.exec(type)?.[1];
  return words?.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
}

/** The names of the store's components, in the order in which they are made. */
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
    // What changed after the store was ready for the first time was broken meanwhile.
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

/** They are served once there is something behind them, however early somebody was found to serve them. */
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

/** A store whose time ran out while nothing was wrong has failed at the first step that is not done. */
function blameDeadline(store: Store, steps: Step[]) {
  if (store.status !== 'failed' || steps.some((step) => step.state === 'failed')) return;
  const late = steps.find((step) => step.state !== 'done' && step.state !== 'unknown');
  const ready = find(store, 'Ready');
  if (!late || !ready) return;
  late.state = 'failed';
  late.why = why(ready);
}

const why = ({ reason, message }: Condition) => ({ reason, message: message ?? '' });

/** The step that keeps the store from being well, if one does. */
export function culprit(steps: Step[]): Step | undefined {
  return steps.find((step) => step.state === 'failed' || step.state === 'stalled');
}
