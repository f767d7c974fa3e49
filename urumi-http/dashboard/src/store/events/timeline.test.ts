import { expect, it } from 'vitest';
import type { TimelineEntry } from '../../api/types';
import { byDay, countBySource, select } from './timeline';

const entry = (reason: string, source: TimelineEntry['source'], type: TimelineEntry['type'], day = 1) =>
  ({ time: `2026-01-0${day}T10:00:00Z`, source, type, reason, count: 1 }) satisfies TimelineEntry;
const entries = [
  entry('Created', 'urumi', 'Normal'),
  entry('BackOff', 'kubernetes', 'Warning'),
  entry('DeleteRequested', 'audit', 'Normal', 2),
];
const reasons = (entries: TimelineEntry[]) => entries.map(({ reason }) => reason);

it('shows what was asked for, the newest first', () => {
  expect(reasons(select(entries, {}))).toEqual(['DeleteRequested', 'BackOff', 'Created']);
  expect(reasons(select(entries, { source: ['audit', 'urumi'] }))).toEqual(['DeleteRequested', 'Created']);
  expect(reasons(select(entries, { warnings: true }))).toEqual(['BackOff']);
});

it('counts by source, and gathers by day', () => {
  expect(countBySource(entries)).toEqual({ urumi: 1, kubernetes: 1, audit: 1 });
  const days = byDay(select(entries, {}), (time) => time.toISOString().slice(0, 10));
  expect(days.map(([day, of]) => [day, of.length])).toEqual([
    ['2026-01-02', 1],
    ['2026-01-01', 2],
  ]);
});
