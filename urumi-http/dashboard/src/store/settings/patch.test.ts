import { describe, expect, it } from 'vitest';
import { between, changeOf } from './patch';

/** Applies a merge patch as RFC 7396 describes it. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const merged = new Map<string, unknown>(isObject ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, merge(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

const VALUES = [
  {},
  { a: 1 },
  { a: 2, b: 'x' },
  { a: { b: 1 } },
  { a: { b: 1, c: { d: true } } },
  { a: { c: { d: false, e: [1, 2] } } },
  { a: [{ b: 1, c: 2 }], z: '' },
  { a: [{ c: 2, b: 1 }], z: '' },
  { a: [] },
];

describe('a merge patch', () => {
  it('leads from one value to the other', () => {
    for (const from of VALUES) {
      for (const to of VALUES) expect(merge(from, between(from, to))).toEqual(to);
    }
  });

  it('is empty between equals, in any order of members', () => {
    for (const value of VALUES) expect(between(value, structuredClone(value))).toEqual({});
    expect(between({ a: [{ b: 1, c: 2 }], d: 1 }, { d: 1, a: [{ c: 2, b: 1 }] })).toEqual({});
  });

  it('names only what differs', () => {
    const from = { api: { replicas: 1, env: { A: 'a', B: 'b' } }, domain: 'a.example' };
    const to = { api: { replicas: 2, env: { A: 'a', C: 'c' } } };
    expect(between(from, to)).toEqual({
      api: { replicas: 2, env: { B: null, C: 'c' } },
      domain: null,
    });
  });

  it('of one value replaces, removes or is nothing', () => {
    expect(changeOf(1, 2)).toBe(2);
    expect(changeOf([1], [1, 2])).toEqual([1, 2]);
    expect(changeOf(1, undefined)).toBeNull();
    expect(changeOf(undefined, undefined)).toBeUndefined();
    expect(changeOf({ a: 1 }, { a: 1 })).toBeUndefined();
    expect(changeOf(null, null)).toBeUndefined();
  });
});
