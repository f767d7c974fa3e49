// The current state of all stores that the caller may see. The Follower writes it; pages read it.
import { queryOptions, skipToken, type QueryClient } from '@tanstack/react-query';
import { request } from '../api/client';
import type { Store } from '../api/types';

export type Stores = ReadonlyMap<string, Store>;

const PAGE = 1000;

/** Every store, page by page. */
export async function fetchStores(signal: AbortSignal): Promise<Store[]> {
  const stores: Store[] = [];
  let next: string | undefined = `/stores?limit=${PAGE}`;
  while (next) {
    const response: Response = await request(next, { signal });
    stores.push(...((await response.json()) as Store[]));
    next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('Link') ?? '')?.[1];
  }
  return stores;
}

/** This query fetches nothing: LiveStores fills it and keeps it up to date. */
export const storesQuery = queryOptions<Stores>({
  queryKey: ['stores'],
  queryFn: skipToken,
  gcTime: Infinity,
});

function byId(stores: Iterable<Store>): Stores {
  return new Map(Array.from(stores, (store) => [store.id, store]));
}

/** Whether `a` is a newer version of the same store than `b`. Versions are decimal numbers of any length. */
function isNewer(a: Store, b: Store | undefined): boolean {
  if (!b || a.createdAt !== b.createdAt) return true;
  const [x, y] = [a.resourceVersion, b.resourceVersion];
  return x.length === y.length ? x >= y : x.length > y.length;
}

/** Replaces all stores. Newer versions stay, because a change may have arrived before an older list. */
export function replaceStores(client: QueryClient, listed: Store[]) {
  client.setQueryData(storesQuery.queryKey, (known) =>
    byId(
      listed.map((store) => {
        const before = known?.get(store.id);
        return before && !isNewer(store, before) ? before : store;
      }),
    ),
  );
}

/** Applies many changes at once, because each call copies the map. */
export function applyChanges(client: QueryClient, changes: Iterable<{ id: string; store: Store | null }>) {
  client.setQueryData(storesQuery.queryKey, (known) => {
    const next = new Map(known);
    for (const { id, store } of changes) {
      if (store === null) next.delete(id);
      else if (isNewer(store, next.get(id))) next.set(id, store);
    }
    return next;
  });
}

/** A store from the answer to our own change, so that pages need not wait for the watch. */
export function noteStore(client: QueryClient, store: Store) {
  applyChanges(client, [{ id: store.id, store }]);
}
