// One connection to /watch: its events, until it ends or becomes silent.
import { createParser } from 'eventsource-parser';
import { request } from '../api/client';

/** An event, or a `heartbeat`: a comment line, which shows that the connection lives. */
export interface Frame {
  id?: string | undefined;
  event?: string | undefined;
  data: string;
}

/** The server sends a comment line at least every fifteen seconds, so a connection that is silent for longer is dead. */
export const SILENCE_MS = 40_000;

/** Reads events until the server ends the connection. Throws if it breaks, is refused or becomes silent. */
export async function* frames(
  path: string,
  lastEventId: string | null,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error('the connection fell silent')), SILENCE_MS);
  };
  const arrived: Frame[] = [];
  const parser = createParser({
    onEvent: (event) => arrived.push(event),
    onComment: () => arrived.push({ event: 'heartbeat', data: '' }),
  });
  heard();
  try {
    const headers = new Headers({ Accept: 'text/event-stream' });
    if (lastEventId !== null) headers.set('Last-Event-ID', lastEventId);
    const both = AbortSignal.any([signal, silence.signal]);
    const response = await request(path, { headers, cache: 'no-store', signal: both });
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const chunk = await reader?.read();
      if (!chunk || chunk.done) return;
      heard();
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* arrived.splice(0);
    }
  } finally {
    clearTimeout(timer);
    // A caller that stops reading also ends the connection.
    silence.abort();
  }
}
