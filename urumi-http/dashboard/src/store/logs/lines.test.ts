import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../api/types';
import { asFile, clean, matches, overlap, told, unheard, type Line } from './lines';

const log = (text: string, container = 'main'): LogLine => ({
  component: 'api',
  pod: 'api-1',
  container,
  text,
});
const line = (key: number, text: string, container = 'main'): Line => ({
  key,
  text,
  from: { component: 'api', pod: 'api-1', container },
});

it('has no orders to a terminal, and keeps tabs and any language', () => {
  expect(clean('\u001b[1;31mred\u001b[0m\tok')).toBe('red\tok');
  expect(clean('\u001b]0;title\u0007a\rb\u001b[2K')).toBe('ab');
  expect(clean('grüß 雪 🚀')).toBe('grüß 雪 🚀');
});

it('is read whole however it is cut', async () => {
  const bytes = new TextEncoder().encode(`${JSON.stringify(log('é1'))}\n${JSON.stringify(log('2'))}\n`);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const all = [];
  for await (const said of told(body)) all.push(...said);
  expect(all).toEqual([log('é1'), log('2')]);
});

describe('after a broken stream', () => {
  it('what was heard before is the longest common end', () => {
    expect(overlap(['a', 'b', 'b'], ['b', 'b', 'c'])).toBe(2);
    expect(overlap(['a'], ['b'])).toBe(0);
    expect(overlap([], ['b'])).toBe(0);
    expect(overlap(['x', 'a', 'b'], ['a', 'b'])).toBe(2);
  });

  it('only what is new is added, of each container', () => {
    const known = [line(1, 'a'), line(2, 'x', 'side'), line(3, 'b'), { key: 4, text: 'note' }];
    const again = [
      log('\u001b[1ma'),
      log('x', 'side'),
      log('b'),
      log('c'),
      log('y', 'side'),
      log('new', 'third'),
    ];
    expect(unheard(known, again).map(({ text }) => text)).toEqual(['c', 'y', 'new']);
  });
});

it('is found in any case', () => {
  const lines = [line(1, 'An ERROR'), line(2, 'fine'), line(3, 'error.')];
  expect(matches(lines, 'Error')).toEqual([0, 2]);
  expect(matches(lines, '')).toEqual([]);
});

it('says in a file where each line is from', () => {
  expect(asFile([line(1, 'hello'), { key: 2, text: 'note' }])).toBe('[api api-1 main] hello\nnote\n');
});
