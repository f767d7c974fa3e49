import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../api/problem';
import type { Store } from '../api/types';
import { FIRST_MS, Follower, POLL_MS, type Liveness } from './follower';
import type { Frame } from './frames';

/** A server whose connections and answers the test controls. */
class Server {
  connections: Connection[] = [];
  polls = 0;
  pollable = true;
  refuses: Error | null = null;

  watch = (lastEventId: string | null, signal: AbortSignal) => {
    const connection = new Connection(lastEventId, signal);
    this.connections.push(connection);
    if (this.refuses) connection.fail(this.refuses);
    return connection.frames();
  };
  poll = async () => {
    this.polls += 1;
    if (!this.pollable) throw new Error('away');
    return [store('polled')];
  };
  get last(): Connection {
    const last = this.connections.at(-1);
    if (!last) throw new Error('nobody connected');
    return last;
  }
}

class Connection {
  #queue: (Frame | Error | null)[] = [];
  #wake = () => {};

  constructor(
    readonly lastEventId: string | null,
    readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.fail(new Error('aborted')));
  }
  send(frame: Frame) {
    this.#push(frame);
  }
  end() {
    this.#push(null);
  }
  fail(error: Error) {
    this.#push(error);
  }
  #push(item: Frame | Error | null) {
    this.#queue.push(item);
    this.#wake();
  }
  async *frames(): AsyncGenerator<Frame> {
    for (;;) {
      const item = this.#queue.shift();
      if (item === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (item === null) return;
      else if (item instanceof Error) throw item;
      else yield item;
    }
  }
}

const store = (id: string) => ({ id, name: id }) as Store;
const listed = (...ids: string[]): Frame => ({
  id: 'l-1',
  event: 'listed',
  data: JSON.stringify(ids.map(store)),
});

let server: Server;
let seen: string[];
let states: Liveness[];
let follower: Follower;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  seen = [];
  states = [];
  follower = new Follower(server, {
    onLiveness: (liveness) => states.push(liveness),
    onListed: (stores) => seen.push(`listed ${stores.map(({ id }) => id).join(',')}`),
    onChanged: ({ id }) => seen.push(`changed ${id}`),
    onGone: (id) => seen.push(`gone ${id}`),
    onRefused: () => seen.push('refused'),
  });
  follower.start();
});

afterEach(() => {
  follower.stop();
  vi.useRealTimers();
});

/** Runs everything that is due by then. */
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

test('is live once the watch speaks, and passes its events on in order', async () => {
  server.last.send(listed('a'));
  server.last.send({ id: 'l-2', event: 'changed', data: JSON.stringify(store('b')) });
  server.last.send({ id: 'l-3', event: 'gone', data: '{"id":"a"}' });
  await pass();
  expect(seen).toEqual(['listed a', 'changed b', 'gone a']);
  expect(states).toEqual(['live']);
  expect(server.polls).toBe(0);
});

test('comes back at once with the last event it saw, when the server ends the connection', async () => {
  server.last.send(listed('a'));
  await pass();
  server.last.end();
  await pass();
  expect(server.connections).toHaveLength(2);
  expect(server.last.lastEventId).toBe('l-1');
  server.last.send({ event: 'heartbeat', data: '' });
  await pass(60_000);
  expect(states).toEqual(['live']);
  expect(server.polls).toBe(0);
});

test('polls while the watch fails, and stops when it works again', async () => {
  server.refuses = new Error('cut');
  server.last.fail(server.refuses);
  await pass();
  expect(states).toEqual(['polling']);
  expect(server.polls).toBe(1);
  await pass(POLL_MS);
  expect(server.polls).toBe(2);
  server.refuses = null;
  await pass(20_000);
  server.last.send(listed('a'));
  await pass();
  const polls = server.polls;
  expect(states.at(-1)).toBe('live');
  await pass(60_000);
  expect(server.polls).toBe(polls);
});

test('says that it is offline while neither works, and goes on by itself', async () => {
  server.refuses = new Error('cut');
  server.pollable = false;
  server.last.fail(server.refuses);
  await pass();
  expect(states).toEqual(['offline']);
  server.pollable = true;
  await pass(POLL_MS);
  expect(states).toEqual(['offline', 'polling']);
});

test('polls where a connection opens but nothing comes, as behind a proxy that holds streams back', async () => {
  await pass(FIRST_MS - 1);
  expect(server.polls).toBe(0);
  await pass(1);
  expect(server.polls).toBe(1);
  expect(states).toEqual(['polling']);
  server.last.send(listed('a'));
  await pass();
  expect(states).toEqual(['polling', 'live']);
});

test('begins a new connection when it is told that the old one may be dead', async () => {
  server.last.send(listed('a'));
  await pass();
  follower.refresh();
  await pass();
  expect(server.connections[0]?.signal.aborted).toBe(true);
  expect(server.connections).toHaveLength(2);
  server.last.send(listed('a', 'b'));
  await pass();
  expect(seen.at(-1)).toBe('listed a,b');
});

test('ends where the caller is not known', async () => {
  server.refuses = new ApiError({
    type: 'about:blank',
    title: '',
    status: 401,
    detail: '',
    code: 'unauthenticated',
    retryable: false,
  });
  server.last.fail(server.refuses);
  await pass(60_000);
  expect(seen).toEqual(['refused']);
  expect(server.connections).toHaveLength(1);
});

test('does nothing any more once it is stopped', async () => {
  server.last.send(listed('a'));
  await pass();
  follower.stop();
  server.last.send(listed('b'));
  await pass(60_000);
  expect(seen).toEqual(['listed a']);
  expect(server.connections).toHaveLength(1);
});
