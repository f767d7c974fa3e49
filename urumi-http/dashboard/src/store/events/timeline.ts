// Filters a timeline and groups it by day, newest first.
import type { TimelineEntry } from '../../api/types';
import { isSource, type EventsSearch, type Source } from '../search';

export function select(entries: TimelineEntry[], { source, warnings }: EventsSearch): TimelineEntry[] {
  return entries
    .filter((entry) => !source || source.some((one) => one === entry.source))
    .filter((entry) => !warnings || entry.type === 'Warning')
    .reverse();
}

export function countBySource(entries: TimelineEntry[]): Record<Source, number> {
  const counts = { urumi: 0, kubernetes: 0, audit: 0 };
  for (const { source } of entries) if (isSource(source)) counts[source] += 1;
  return counts;
}

/** Groups entries by day, as computed by `day`, and keeps their order. */
export function byDay(entries: TimelineEntry[], day: (time: Date) => string): [string, TimelineEntry[]][] {
  const days = new Map<string, TimelineEntry[]>();
  for (const entry of entries) {
    const key = day(new Date(entry.time));
    const known = days.get(key);
    if (known) known.push(entry);
    else days.set(key, [entry]);
  }
  return [...days];
}
