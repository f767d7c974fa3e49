// The figures of the overview.
import type { Store } from '../api/types';

/** A store that is provisioning for longer than this needs attention. */
export const SLOW_MS = 10 * 60_000;

/** Stores that need attention, the worst first. */
export function needAttention(stores: Iterable<Store>, now: number): Store[] {
  const rank = (store: Store) => {
    if (store.status === 'failed') return 0;
    if (store.status === 'degraded') return 1;
    const slow = now - Date.parse(store.createdAt) > SLOW_MS;
    return slow && store.status !== 'ready' ? 2 : 3;
  };
  return Array.from(stores)
    .filter((store) => rank(store) < 3)
    .sort((a, b) => rank(a) - rank(b) || Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

export interface TimeToReady {
  store: Store;
  ms: number;
}

/** The times to ready of the newest ready stores, the latest first. */
export function timesToReady(stores: Iterable<Store>, most: number): TimeToReady[] {
  return Array.from(stores)
    .flatMap((store) => (store.readyAt ? [{ store, at: Date.parse(store.readyAt) }] : []))
    .sort((a, b) => b.at - a.at)
    .slice(0, most)
    .map(({ store, at }) => ({ store, ms: Math.max(0, at - Date.parse(store.createdAt)) }));
}

export function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2;
}
