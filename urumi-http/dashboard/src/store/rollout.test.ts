import { expect, it } from 'vitest';
import type { Condition, Store } from '../api/types';
import { rolloutOf } from './rollout';

const store = (revision: number, observedRevision: number, conditions: Partial<Condition>[] = []) =>
  ({ revision, observedRevision, conditions }) as Store;
const upToDate = (status: string, reason: string, message?: string): Partial<Condition> => ({
  type: 'UpToDate',
  status,
  reason,
  message,
});

it('is nothing for a store that was never changed', () => {
  expect(rolloutOf(store(1, 1))).toBeUndefined();
  expect(rolloutOf({ conditions: [] as Condition[] } as Store)).toBeUndefined();
});

it('does not believe the conditions of an earlier revision', () => {
  const done = store(3, 2, [upToDate('True', 'RolledOut')]);
  expect(rolloutOf(done)).toEqual({ state: 'rolling', revision: 3, message: '' });
});

it.each([
  ['True', 'RolledOut', 'done'],
  ['False', 'Rolling', 'rolling'],
  ['False', 'Failed', 'failed'],
  ['False', 'RolledBack', 'rolledBack'],
  ['False', 'NewRenderer', 'outdated'],
  ['False', 'OfALaterVersion', 'failed'],
  ['Unknown', 'OfALaterVersion', 'rolling'],
])('is %s with the reason %s: %s', (status, reason, state) => {
  const rollout = rolloutOf(store(2, 2, [upToDate(status, reason, 'why')]));
  expect(rollout).toEqual({ state, revision: 2, message: 'why' });
});
