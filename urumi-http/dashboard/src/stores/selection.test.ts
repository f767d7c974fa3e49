import { expect, test } from 'vitest';
import type { Store, StoreStatus } from '../api/types';
import { countByStatus, parseSelection, select } from './selection';

const store = (id: string, name: string, status: StoreStatus, createdAt: string, engine = 'medusa') =>
  ({ id, name, status, createdAt, engine }) as Store;
const all = [
  store('b1', 'Shop 10', 'ready', '2026-01-03T00:00:00Z'),
  store('a1', 'shop 9', 'failed', '2026-01-01T00:00:00Z'),
  store('c1', 'Émile', 'provisioning', '2026-01-02T00:00:00Z', 'other'),
];
const ids = (stores: Store[]) => stores.map(({ id }) => id);

test('reads what makes sense of an address, and nothing else', () => {
  expect(
    parseSelection({ q: 7, status: ['failed', 'nonsense'], sort: '-name', engine: 'medusa', page: 3 }),
  ).toEqual({
    q: '7',
    status: ['failed'],
    sort: '-name',
    engine: 'medusa',
  });
  expect(parseSelection({ q: { a: 1 }, status: 'ready', sort: 'color' })).toEqual({ status: ['ready'] });
  expect(parseSelection({ sort: '-created' })).toEqual({});
});

test('shows the newest first where nothing else is asked for', () => {
  expect(ids(select(all, {}))).toEqual(['b1', 'c1', 'a1']);
});

test('searches names whatever the case, and ids', () => {
  expect(ids(select(all, { q: ' SHOP ' }))).toEqual(['b1', 'a1']);
  expect(ids(select(all, { q: 'c1' }))).toEqual(['c1']);
});

test('chooses by status and engine', () => {
  expect(ids(select(all, { status: ['failed', 'ready'] }))).toEqual(['b1', 'a1']);
  expect(ids(select(all, { engine: 'other' }))).toEqual(['c1']);
});

test('orders names as people do, statuses by urgency, and equal ones by id', () => {
  expect(ids(select(all, { sort: 'name' }))).toEqual(['c1', 'a1', 'b1']);
  expect(ids(select(all, { sort: 'status' }))).toEqual(['a1', 'c1', 'b1']);
  const twins = [
    store('b', 'x', 'ready', '2026-01-01T00:00:00Z'),
    store('a', 'x', 'ready', '2026-01-01T00:00:00Z'),
  ];
  expect(ids(select(twins, { sort: 'name' }))).toEqual(['a', 'b']);
  expect(ids(select(twins, { sort: '-name' }))).toEqual(['a', 'b']);
});

test('counts every status', () => {
  expect(countByStatus(all)).toEqual({ provisioning: 1, ready: 1, degraded: 0, failed: 1, deleting: 0 });
});
