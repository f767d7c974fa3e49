import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LogLine } from '../../api/types';
import { LogFollower } from './follower';

const request = vi.hoisted(() => vi.fn<(path: string, init: RequestInit) => Promise<Response>>());
vi.mock('../../api/client', () => ({ request }));

const line = (text: string): LogLine => ({ component: 'api', pod: 'api-1', container: 'main', text });

/** A connection with its lines and its end, as the server answers it. */
function connection() {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (own) => void (controller = own) });
  request.mockImplementationOnce((_path, { signal }) => {
    signal?.addEventListener('abort', () => controller.error(signal.reason));
    return Promise.resolve(new Response(body));
  });
  return {
    say(...objects: object[]) {
      for (const object of objects) {
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(object)}\n`));
      }
    },
    end: () => controller.close(),
    break: () => controller.error(new TypeError('network error')),
  };
}

const texts = (follower: LogFollower) => follower.snapshot().lines.map(({ text }) => text);
let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  request.mockReset().mockReturnValue(new Promise(() => {}));
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

it('asks for one component, and shows what comes', async () => {
  const first = connection();
  const follower = new LogFollower('shop', 'api');
  stop = follower.start();
  first.say(line('a'), line('b'));
  await vi.advanceTimersByTimeAsync(200);
  expect(request.mock.calls[0]?.[0]).toBe('/stores/shop/logs?follow=true&tail=1000&component=api');
  expect(texts(follower)).toEqual(['a', 'b']);
  expect(follower.snapshot().phase).toBe('live');
});

it('comes back after a break, and hears no line twice', async () => {
  const first = connection();
  const follower = new LogFollower('shop', undefined);
  stop = follower.start();
  first.say(line('a'), line('b'));
  await vi.advanceTimersByTimeAsync(200);
  const second = connection();
  first.break();
  await vi.advanceTimersByTimeAsync(100);
  expect(follower.snapshot().phase).toBe('interrupted');
  await vi.advanceTimersByTimeAsync(1000);
  second.say(line('a'), line('b'), line('c'));
  await vi.advanceTimersByTimeAsync(1000);
  second.say(line('d'));
  await vi.advanceTimersByTimeAsync(200);
  expect(follower.snapshot().phase).toBe('live');
  expect(texts(follower)).toEqual(['a', 'b', 'c', 'd']);
});

it('says a problem where the lines are', async () => {
  const first = connection();
  const follower = new LogFollower('shop', undefined);
  stop = follower.start();
  first.say({ detail: 'the pod is gone', code: 'cluster-refused' });
  await vi.advanceTimersByTimeAsync(200);
  expect(follower.snapshot().lines).toEqual([{ key: 1, text: 'the pod is gone' }]);
});

it('keeps ten thousand lines, and counts them all', async () => {
  const first = connection();
  const follower = new LogFollower('shop', undefined);
  stop = follower.start();
  first.say(...Array.from({ length: 10_050 }, (_, index) => line(String(index))));
  await vi.advanceTimersByTimeAsync(300);
  expect(follower.snapshot().total).toBe(10_050);
  expect(texts(follower)).toHaveLength(10_000);
  expect(texts(follower)[0]).toBe('50');
});
