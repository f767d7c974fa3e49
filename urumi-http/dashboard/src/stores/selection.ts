// Filters and sorts stores by the address's parameters.
import { isKnown, STATUSES, type Store, type StoreStatus } from '../api/types';

export const COLUMNS = ['name', 'status', 'engine', 'created'] as const;
export type Column = (typeof COLUMNS)[number];
export type Sort = Column | `-${Column}`;

export interface Selection {
  /** A part of a name or id. */
  q?: string;
  status?: StoreStatus[];
  engine?: string;
  sort?: Sort;
}

/** Newest first, because users usually want to see the latest store. */
export const USUAL: Sort = '-created';

/** Reads an address's parameters; invalid ones are ignored. */
export function parseSelection(search: Record<string, unknown>): Selection {
  const selection: Selection = {};
  if (typeof search.q === 'string' || typeof search.q === 'number') selection.q = String(search.q);
  if (typeof search.engine === 'string') selection.engine = search.engine;
  const asked: unknown[] = Array.isArray(search.status) ? search.status : [search.status];
  const status = STATUSES.filter((known) => asked.includes(known));
  if (status.length > 0) selection.status = status;
  const sort = COLUMNS.flatMap((column): Sort[] => [column, `-${column}`]).find(
    (known) => known === search.sort,
  );
  if (sort && sort !== USUAL) selection.sort = sort;
  return selection;
}

// Statuses that need attention come first.
const URGENCY: Record<StoreStatus, number> = {
  failed: 0,
  degraded: 1,
  provisioning: 2,
  deleting: 3,
  ready: 4,
};
const urgency = (status: string) => (isKnown(status) ? URGENCY[status] : STATUSES.length);
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

const COMPARE: Record<Column, (a: Store, b: Store) => number> = {
  name: (a, b) => collator.compare(a.name, b.name),
  status: (a, b) => urgency(a.status) - urgency(b.status),
  engine: (a, b) => collator.compare(a.engine, b.engine),
  created: (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt),
};

/** The selected stores in order. Equal ones are ordered by id, so that rows never change places by themselves. */
export function select(stores: Iterable<Store>, { q, status, engine, sort = USUAL }: Selection): Store[] {
  const needle = q?.trim().toLowerCase() ?? '';
  const chosen = Array.from(stores).filter(
    (store) =>
      (!status || status.some((one) => one === store.status)) &&
      (!engine || store.engine === engine) &&
      (!needle || store.name.toLowerCase().includes(needle) || store.id.includes(needle)),
  );
  const compare = COMPARE[sort.replace('-', '') as Column];
  const turn = sort.startsWith('-') ? -1 : 1;
  return chosen.sort((a, b) => turn * compare(a, b) || (a.id < b.id ? -1 : 1));
}

/** The number of stores in each status. */
export function countByStatus(stores: Iterable<Store>): Record<StoreStatus, number> {
  const counts = { provisioning: 0, ready: 0, degraded: 0, failed: 0, deleting: 0 };
  for (const { status } of stores) if (isKnown(status)) counts[status] += 1;
  return counts;
}
