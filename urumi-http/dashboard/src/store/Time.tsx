// Relative times, with the exact time on request.
import { useFormatter, useNow } from 'use-intl';

/** A relative time with the exact time in a tooltip. */
export function Ago({ time, every = 15_000 }: { time: string; every?: number }) {
  const format = useFormatter();
  const now = useNow({ updateInterval: every });
  const at = new Date(time);
  return (
    <time dateTime={time} title={format.dateTime(at, { dateStyle: 'full', timeStyle: 'medium' })}>
      {format.relativeTime(Math.min(at.getTime(), now.getTime()), now)}
    </time>
  );
}
