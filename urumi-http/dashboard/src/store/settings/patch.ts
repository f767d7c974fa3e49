// Merge patches (RFC 7396): what changes one object into another. Null takes a member away.
import type { Json } from '../../options/values';

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The merge patch that makes `to` of `from`. */
export function between(from: Json, to: Json): Json {
  const patch: Json = {};
  for (const name of Object.keys(from)) if (to[name] === undefined) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const change = changeOf(from[name], value);
    if (change !== undefined) patch[name] = change;
  }
  return patch;
}

/** The part of a merge patch that makes `to` of `from`; undefined if nothing does. */
export function changeOf(from: unknown, to: unknown): unknown {
  if (to === undefined) return from === undefined ? undefined : null;
  if (isObject(from) && isObject(to)) {
    const inner = between(from, to);
    return Object.keys(inner).length > 0 ? inner : undefined;
  }
  return isSame(from, to) ? undefined : to;
}

/** Objects are the same in any order of their members. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => isSame(value, b[index]));
  }
  if (isObject(a) && isObject(b)) return Object.keys(between(a, b)).length === 0;
  return a === b;
}
