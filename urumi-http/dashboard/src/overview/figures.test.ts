import { expect, test } from 'vitest';
import type { Store, StoreStatus } from '../api/types';
import { median, needAttention, timesToReady } from './figures';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const store = (id: string, status: StoreStatus, createdAt: string, readyAt?: string) =>
  ({ id, status, createdAt, readyAt }) as Store;

test('failed and degraded stores need attention, and such as are made or removed for too long', () => {
  const stores = [
    store('well', 'ready', '2026-01-01T00:00:00Z'),
    store('slow', 'provisioning', '2026-01-01T11:00:00Z'),
    store('new', 'provisioning', '2026-01-01T11:59:00Z'),
    store('ill', 'degraded', '2026-01-01T01:00:00Z'),
    store('dead', 'failed', '2026-01-01T01:00:00Z'),
  ];
  expect(needAttention(stores, NOW).map(({ id }) => id)).toEqual(['dead', 'ill', 'slow']);
});

test('tells how long the last ones took, the latest first', () => {
  const stores = [
    store('a', 'ready', '2026-01-01T00:00:00Z', '2026-01-01T00:00:40Z'),
    store('b', 'degraded', '2026-01-02T00:00:00Z', '2026-01-02T00:01:00Z'),
    store('c', 'provisioning', '2026-01-03T00:00:00Z'),
  ];
  expect(timesToReady(stores, 10).map(({ store, ms }) => [store.id, ms])).toEqual([
    ['b', 60_000],
    ['a', 40_000],
  ]);
  expect(timesToReady(stores, 1)).toHaveLength(1);
});

test('the middle one', () => {
  expect(median([])).toBeUndefined();
  expect(median([3, 1, 100])).toBe(3);
  expect(median([1, 2, 3, 100])).toBe(2.5);
});
