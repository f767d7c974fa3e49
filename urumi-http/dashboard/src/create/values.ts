// The values typed into a form, and the options made from them. Unchanged values are not sent.
import type { Field, Leaf } from './schema';
import { leavesOf } from './schema';

/** Values by path. Null removes a default. */
export type Values = Readonly<Record<string, unknown>>;
/** A map's entries in the order of typing, including incomplete ones. */
export type Entry = [name: string, value: string];

type Json = Record<string, unknown>;

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

export function toOptions(fields: Field[], values: Values): Json {
  const options: Json = {};
  for (const leaf of leavesOf(fields)) {
    const value = sent(leaf, values);
    if (value !== undefined) put(options, leaf.path.split('.'), value);
  }
  return options;
}

function sent(leaf: Leaf, values: Values): unknown {
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

function put(target: Json, [key, ...rest]: string[], value: unknown) {
  if (key === undefined) return;
  if (rest.length === 0) target[key] = value;
  else put((target[key] ??= {}) as Json, rest, value);
}
