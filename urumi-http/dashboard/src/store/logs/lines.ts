// Lines of logs: read, cleaned, and kept up to a bound.
import type { LogLine, Problem } from '../../api/types';

/** The maximum number of lines; the oldest are dropped first. */
export const KEPT = 10_000;

export interface Line {
  /** Constant while the line is kept; ascending. */
  key: number;
  text: string;
  /** The line's source; none for an error message. */
  from?: { component: string; pod: string; container: string };
}

// Terminal escape sequences (colours, window titles) and other control characters.
const ORDERS =
  // eslint-disable-next-line no-control-regex
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b.|[\u0000-\u0008\u000b-\u001f\u007f]/g;

export function clean(text: string): string {
  return text.replaceAll(ORDERS, '');
}

export type Told = LogLine | Problem;

export const isLine = (told: Told): told is LogLine => 'text' in told;
export const container = ({ pod, container }: LogLine) => `${pod}/${container}`;

/** Reads a stream of JSON objects, one per line. */
export async function* told(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Told[]> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    const said = lines.filter(Boolean).map((line) => JSON.parse(line) as Told);
    if (said.length > 0) yield said;
  }
}

/** The number of first elements of `next` that are the end of `known`, so they are not new. */
export function overlap(known: readonly string[], next: readonly string[]): number {
  for (let length = Math.min(known.length, next.length); length > 0; length--) {
    const start = known.length - length;
    let same = 0;
    while (same < length && known[start + same] === next[same]) same++;
    if (same === length) return length;
  }
  return 0;
}

/** The new lines of `again`. Log lines have no numbers, so the lists are compared at their ends. */
export function unheard(known: readonly Line[], again: readonly LogLine[]): LogLine[] {
  const of = new Map<string, { old: string[]; fresh: string[] }>();
  for (const line of again) {
    const key = container(line);
    const entry = of.get(key) ?? { old: [], fresh: [] };
    entry.fresh.push(clean(line.text));
    of.set(key, entry);
  }
  for (const { from, text } of known) {
    if (from) of.get(`${from.pod}/${from.container}`)?.old.push(text);
  }
  const skip = new Map(Array.from(of, ([key, { old, fresh }]) => [key, overlap(old, fresh)]));
  return again.filter((line) => {
    const key = container(line);
    const left = skip.get(key) ?? 0;
    skip.set(key, left - 1);
    return left <= 0;
  });
}

/** The numbers of the lines that have `query` in them, whatever the case. */
export function matches(lines: readonly Line[], query: string): number[] {
  if (!query) return [];
  const wanted = query.toLowerCase();
  return lines.flatMap(({ text }, index) => (text.toLowerCase().includes(wanted) ? index : []));
}

/** The text of a file with these lines in it. */
export function asFile(lines: readonly Line[]): string {
  return lines
    .map(({ from, text }) =>
      from ? `[${from.component} ${from.pod} ${from.container}] ${text}\n` : `${text}\n`,
    )
    .join('');
}
