import { QueryClient } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import type { Store } from '../api/types';
import { applyChanges, replaceStores, storesQuery } from './stores';

const store = (id: string, resourceVersion: string, createdAt = '2026-01-01T00:00:00Z') =>
  ({ id, resourceVersion, createdAt }) as Store;
const versions = (client: QueryClient) =>
  Object.fromEntries(
    [...(client.getQueryData(storesQuery.queryKey) ?? [])].map(([id, s]) => [id, s.resourceVersion]),
  );

test('an answer that was overtaken by a change does not undo it', () => {
  const client = new QueryClient();
  applyChanges(client, [{ id: 'a', store: store('a', '100') }]);
  replaceStores(client, [store('a', '99'), store('b', '7')]);
  expect(versions(client)).toEqual({ a: '100', b: '7' });
  applyChanges(client, [{ id: 'a', store: store('a', '9') }]);
  expect(versions(client)).toEqual({ a: '100', b: '7' });
});

test('a list is all there is', () => {
  const client = new QueryClient();
  replaceStores(client, [store('a', '1'), store('b', '2')]);
  replaceStores(client, [store('b', '3')]);
  expect(versions(client)).toEqual({ b: '3' });
});

test('a store of an id that was used before is another one, whatever its version', () => {
  const client = new QueryClient();
  applyChanges(client, [{ id: 'a', store: store('a', '500') }]);
  applyChanges(client, [{ id: 'a', store: store('a', '3', '2026-02-02T00:00:00Z') }]);
  expect(versions(client)).toEqual({ a: '3' });
});

test('a store that is gone is gone', () => {
  const client = new QueryClient();
  replaceStores(client, [store('a', '1'), store('b', '2')]);
  applyChanges(client, [{ id: 'a', store: null }]);
  expect(versions(client)).toEqual({ b: '2' });
});
