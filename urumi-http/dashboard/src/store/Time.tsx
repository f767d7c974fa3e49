// Times as people tell them, exact on request.
import { useFormatter, useNow } from 'use-intl';

/** How long ago, the exact time behind it. */
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
