// One connection to /watch: its events, until it ends or falls silent.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { request } from '../api/client';

export interface Frame {
  id?: string;
  event?: string;
  data: string;
}

/** The server sends a comment line at least every fifteen seconds: a connection that is silent for longer is dead. */
export const SILENCE_MS = 40_000;

/** Reads events until the server ends the connection. Throws where it breaks, is refused or falls silent. */
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
  heard();
  try {
    const headers = new Headers({ Accept: 'text/event-stream' });
    if (lastEventId !== null) headers.set('Last-Event-ID', lastEventId);
    const response = await request(path, {
      headers,
      cache: 'no-store',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.body) throw new Error('the answer has no body');
    const hears = new TransformStream<string, string>({
      transform(chunk, controller) {
        heard();
        controller.enqueue(chunk);
      },
    });
    const events = response.body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
      .pipeThrough(hears)
      .pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    clearTimeout(timer);
  }
}
