// All stores that the caller may see, as they are now. The Follower fills this; pages read it.
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

/** Nothing is fetched for it: LiveStores fills it, and keeps it true. */
export const storesQuery = queryOptions<Stores>({
  queryKey: ['stores'],
  queryFn: skipToken,
  gcTime: Infinity,
});

function byId(stores: Iterable<Store>): Stores {
  return new Map(Array.from(stores, (store) => [store.id, store]));
}

/** Whether `a` says something newer of the same store than `b`. Versions are decimal numbers of any length. */
function isNewer(a: Store, b: Store | undefined): boolean {
  if (!b || a.createdAt !== b.createdAt) return true;
  const [x, y] = [a.resourceVersion, b.resourceVersion];
  return x.length === y.length ? x >= y : x.length > y.length;
}

/** All stores anew. What is known to be newer stays: a list may have been on its way while a change overtook it. */
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

/** Takes many changes in one go: each costs a copy of the map. */
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

/** A store as an answer to a change of ours shows it: pages need not wait for the watch to say the same. */
export function noteStore(client: QueryClient, store: Store) {
  applyChanges(client, [{ id: store.id, store }]);
}
