import { describe, expect, it } from 'vitest';
import type { Condition, Store } from '../api/types';
import { componentOf, componentsOf, culprit, steps } from './pipeline';
import { plainReason } from './reasons';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();
const condition = (
  type: string,
  status: Condition['status'],
  seconds: number,
  reason = status === 'True' ? 'Available' : 'Starting',
  message = '',
): Condition => ({ type, status, reason, message, lastTransitionTime: at(seconds) });

function store(status: Store['status'], conditions: Condition[], more: Partial<Store> = {}): Store {
  return {
    id: 'a',
    name: 'A',
    engine: 'medusa',
    status,
    namespace: 'store-a',
    urls: {},
    createdAt: at(0),
    conditions,
    resourceVersion: '1',
    ...more,
  };
}

const told = (store: Store, seconds: number) =>
  steps(store, T0 + seconds * 1000).map(({ key, state }) => `${key} ${state}`);

describe('steps', () => {
  it('take their names from the conditions, whatever the engine', () => {
    expect(componentOf('ProofOfLifeReady')).toBe('proof-of-life');
    expect(componentOf('Ready')).toBeUndefined();
    expect(componentOf('AddressesServed')).toBeUndefined();
    const other = store('provisioning', [
      condition('Ready', 'False', 0),
      condition('SearchIndexReady', 'False', 1),
    ]);
    expect(componentsOf(other)).toEqual(['search-index']);
    expect(told(other, 5)).toEqual(['record running', 'search-index waiting']);
  });

  it('begin with the record of a store of which nothing else is known', () => {
    expect(steps(store('provisioning', []), T0)).toEqual([
      { key: 'record', kind: 'record', state: 'running', from: T0 },
    ]);
  });

  const made = condition('ObjectsCreated', 'True', 1, 'Created');

  it('run one after the other, and addresses are last however early they were found to be served', () => {
    const young = store('provisioning', [
      condition('Ready', 'False', 1),
      made,
      condition('DatabaseReady', 'True', 5),
      condition('ApiReady', 'False', 1),
      condition('StorefrontReady', 'False', 1),
      condition('AddressesServed', 'True', 1, 'IngressClassFound'),
    ]);
    expect(told(young, 9)).toEqual([
      'record done',
      'database done',
      'api running',
      'storefront waiting',
      'addresses waiting',
    ]);
    const [record, database, api] = steps(young, T0 + 9000);
    expect([record?.from, record?.to]).toEqual([T0, T0 + 1000]);
    expect([database?.from, database?.to]).toEqual([T0 + 1000, T0 + 5000]);
    expect([api?.from, api?.to]).toEqual([T0 + 1000, undefined]);
  });

  it('end when all before the addresses has ended', () => {
    const ready = store(
      'ready',
      [made, condition('DatabaseReady', 'True', 5), condition('AddressesServed', 'True', 1)],
      { readyAt: at(5) },
    );
    const [, , addresses] = steps(ready, T0 + 99_000);
    expect(addresses).toMatchObject({ state: 'done', from: T0 + 5000, to: T0 + 5000 });
  });

  it('tell since when what was broken works again, rather than that it took days', () => {
    const mended = store('ready', [made, condition('ApiReady', 'True', 90_000)], { readyAt: at(30) });
    expect(steps(mended, T0)[1]).toEqual({
      key: 'api',
      kind: 'component',
      state: 'done',
      again: T0 + 90_000_000,
    });
  });

  it('stall at what does not pass, and at what usually passes when it stays', () => {
    const pulling = (reason: string) =>
      store('provisioning', [made, condition('DatabaseReady', 'False', 1, reason, 'postgres: no')]);
    expect(told(pulling('ImagePullBackOff'), 2)[1]).toBe('database stalled');
    expect(told(pulling('ClaimUnbound'), 30)[1]).toBe('database running');
    expect(told(pulling('ClaimUnbound'), 62)[1]).toBe('database stalled');
    expect(culprit(steps(pulling('ImagePullBackOff'), T0))?.why).toEqual({
      reason: 'ImagePullBackOff',
      message: 'postgres: no',
    });
  });

  it('blame nothing for what comes before it', () => {
    const crashing = store('provisioning', [
      made,
      condition('DatabaseReady', 'False', 1),
      condition('ApiReady', 'False', 1, 'CrashLoopBackOff'),
      condition('StorefrontReady', 'False', 1, 'ImagePullBackOff'),
    ]);
    expect(told(crashing, 9)).toEqual([
      'record done',
      'database running',
      'api waiting',
      'storefront stalled',
    ]);
  });

  it('fail where the cause is known, and at the first that is late where none is', () => {
    const reason = (api: string) => [
      condition('Ready', 'False', 1, 'DeadlineExceeded', 'for 15 min'),
      made,
      condition('DatabaseReady', 'False', 1),
      condition('ApiReady', 'False', 1, api),
    ];
    expect(told(store('failed', reason('QuotaExceeded')), 900)).toEqual([
      'record done',
      'database waiting',
      'api failed',
    ]);
    const late = steps(store('failed', reason('Starting')), T0);
    expect(late.map((step) => step.state)).toEqual(['done', 'failed', 'waiting']);
    expect(culprit(late)?.why?.reason).toBe('DeadlineExceeded');
  });

  it('break in a store that was ready, and tell of its newest order', () => {
    const broken = store(
      'degraded',
      [
        made,
        condition('ApiReady', 'False', 70, 'NotReady'),
        condition('AddressesServed', 'Unknown', 1, 'NoDefaultIngressClass'),
        condition('SmokeTest', 'False', 60, 'SmokeTestFailed', 'pay: 503'),
      ],
      { readyAt: at(30) },
    );
    expect(told(broken, 100)).toEqual(['record done', 'api stalled', 'addresses waiting', 'smoke failed']);
    expect(steps(broken, T0)[1]?.from).toBe(T0 + 70_000);
  });
});

it('has plain words for reasons of the same meaning, and none for what it does not know', () => {
  expect(plainReason('OOMKilled')).toBe('OutOfMemory');
  expect(plainReason('QuotaExceeded')).toBe('QuotaExceeded');
  expect(plainReason('FailedScheduling', '0/1 nodes')).toBe('Unschedulable');
  expect(plainReason('FailedScheduling', 'pod has unbound immediate PersistentVolumeClaims')).toBe(
    'ClaimUnbound',
  );
  expect(plainReason('toString')).toBeUndefined();
  expect(plainReason('SomethingNew')).toBeUndefined();
});
