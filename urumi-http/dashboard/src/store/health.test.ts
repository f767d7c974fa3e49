import { expect, it } from 'vitest';
import type { Condition, Store } from '../api/types';
import { health } from './health';

const condition = (type: string, status: Condition['status']): Condition => ({
  type,
  status,
  reason: 'X',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const store = (status: Store['status'], ...conditions: Condition[]) => ({ status, conditions }) as Store;

it('is that of what is behind an address', () => {
  const degraded = store('degraded', condition('ApiReady', 'False'), condition('StorefrontReady', 'True'));
  expect(health(degraded, 'storefront')).toBe('up');
  expect(health(degraded, 'api')).toBe('down');
  expect(health(store('provisioning', condition('ApiReady', 'False')), 'api')).toBe('pending');
});

it('is bad where nobody serves addresses, and the store’s own where there is no such component', () => {
  const unserved = store('failed', condition('ApiReady', 'True'), condition('AddressesServed', 'False'));
  expect(health(unserved, 'api')).toBe('down');
  expect(
    health(store('ready', condition('Ready', 'True'), condition('AddressesServed', 'Unknown')), 'api'),
  ).toBe('up');
});
