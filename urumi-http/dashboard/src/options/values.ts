// The values typed into a form, and the options made from them. Unchanged values are not sent.
import type { Field, Leaf } from './schema';
import { leavesOf } from './schema';

/** Values by path. Null removes a default. */
export type Values = Readonly<Record<string, unknown>>;
/** A map's entries in the order of typing, including incomplete ones. */
export type Entry = [name: string, value: string];

export type Json = Record<string, unknown>;

export function isBlank(row: unknown): boolean {
  if (Array.isArray(row)) return row.every(isBlank);
  if (typeof row === 'object' && row !== null) return Object.values(row).every(isBlank);
  return row === undefined || row === '';
}

export function rowsOf<Row>(values: Values, path: string): Row[] {
  const rows = values[path];
  return Array.isArray(rows) ? (rows as Row[]) : [];
}

export function withValue(values: Values, path: string, value: unknown): Values {
  if (value !== undefined && value !== '') return { ...values, [path]: value };
  return Object.fromEntries(Object.entries(values).filter(([other]) => other !== path));
}

/** The options that were changed. A draft may have values of options that are locked now. */
export function changedOf(fields: Field[], values: Values): Leaf[] {
  return leavesOf(fields).filter((leaf) => !leaf.locked && leaf.path in values);
}

export function toOptions(fields: Field[], values: Values): Json {
  const options: Json = {};
  for (const leaf of changedOf(fields, values)) {
    const value = sent(leaf, values);
    if (value !== undefined) put(options, leaf.path.split('.'), value);
  }
  return options;
}

/** The values of locked options, as their inputs show them. `resolved` returns the value of one without a default. */
export function lockedValues(fields: Field[], resolved?: (path: string) => unknown): Values {
  return Object.fromEntries(
    leavesOf(fields)
      .filter((leaf) => leaf.locked && !leaf.secret)
      .map((leaf) => [leaf.path, shown(leaf, leaf.default ?? resolved?.(leaf.path))])
      .filter(([, value]) => value !== undefined),
  );
}

/** An option's value as its input shows it. */
export function shown(leaf: Leaf, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (leaf.kind) {
    case 'map':
      return Object.entries(value);
    case 'items':
      return Array.isArray(value) ? value.map((row) => rowOf(leaf.fields, row as Json)) : undefined;
    case 'json':
      return JSON.stringify(value, null, 2);
    default:
      return value;
  }
}

function rowOf(fields: Field[], row: Json): Values {
  return Object.fromEntries(
    leavesOf(fields).map((leaf) => [leaf.path, shown(leaf, valueAt(row, leaf.path))]),
  );
}

/** The value at a path such as `api.replicas`. */
export function valueAt(options: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as Json | null | undefined)?.[key], options);
}

/** The value of an option in the request. */
export function sent(leaf: Leaf, values: Values): unknown {
  const value = values[leaf.path];
  if (value === undefined || value === null) return value;
  switch (leaf.kind) {
    case 'map': {
      const entries = rowsOf<Entry>(values, leaf.path).filter((row) => !isBlank(row));
      return entries.length ? Object.fromEntries(entries) : undefined;
    }
    case 'list': {
      const rows = rowsOf<string>(values, leaf.path).filter((row) => !isBlank(row));
      return rows.length ? rows : undefined;
    }
    case 'items': {
      const rows = rowsOf<Values>(values, leaf.path).filter((row) => !isBlank(row));
      return rows.length ? rows.map((row) => toOptions(leaf.fields, row)) : undefined;
    }
    case 'json':
      return parsed(value);
    default:
      return value;
  }
}

/** Text that is not JSON is sent unchanged: the API then says what it accepts. */
function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return value;
  }
}

/** Sets the value at a path. */
export function put(target: Json, [key, ...rest]: string[], value: unknown) {
  if (key === undefined) return;
  if (rest.length === 0) target[key] = value;
  else put((target[key] ??= {}) as Json, rest, value);
}
