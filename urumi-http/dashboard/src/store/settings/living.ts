// The form of a living store: what its request chose, what is in force, and the merge patch that the user's edits make.
import {
  fieldsOf,
  formWith,
  leavesOf,
  type Field,
  type Form,
  type JsonSchema,
  type Leaf,
} from '../../options/schema';
import { changedOf, put, sent, shown, valueAt, type Json, type Values } from '../../options/values';
import { changeOf } from './patch';

export interface StoreOptions {
  /** What the store's request chose; secret values are redacted. */
  requested: Json;
  /** What is in force. */
  effective: Json;
}

/**
 * The form of the engine's options, as it is for this store: an option that was never chosen has the value in force as
 * its default, and secrets are locked, because they are taken only when a store is created.
 */
export function livingForm(schema: JsonSchema, options: StoreOptions, secretReason: string): Form {
  const living = (field: Field): Field => {
    if (field.kind === 'group') return { ...field, fields: field.fields.map(living) };
    if (field.secret) return { ...field, locked: true, policy: secretReason };
    const requested = valueAt(options.requested, field.path);
    const inForce = valueAt(options.effective, field.path) ?? undefined;
    const isFrozen = field.locked || (requested === undefined && field.default !== undefined);
    // A merge patch cannot set null: it can only stay.
    return { ...field, nullable: requested === null, default: (isFrozen && inForce) || field.default };
  };
  return formWith(fieldsOf(schema).map(living));
}

const leaves = (form: Form) => leavesOf([...form.first, ...form.groups]);

/** What the request chose, as the inputs show it. */
export function chosenValues(form: Form, requested: Json): Values {
  return shownValues(
    leaves(form).filter((leaf) => !leaf.locked),
    requested,
  );
}

/** Secrets that the request has, as the inputs show them. They are never sent. */
export function secretValues(form: Form, requested: Json): Values {
  return shownValues(
    leaves(form).filter((leaf) => leaf.secret),
    requested,
  );
}

function shownValues(of: Leaf[], options: Json): Values {
  const entries = of.map((leaf) => {
    const value = valueAt(options, leaf.path);
    return [leaf.path, value === null ? null : shown(leaf, value)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The values after the edits. An edit to undefined takes an option back. */
export function edited(chosen: Values, edits: Values): Values {
  return Object.fromEntries(
    Object.entries({ ...chosen, ...edits }).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** The edits with one more. */
export function withEdit(form: Form, chosen: Values, edits: Values, path: string, value: unknown): Values {
  const leaf = leaves(form).find((one) => one.path === path);
  // A switch takes its option back when it shows the default again, although the request may name that value.
  const isBack = value === undefined && leaf?.kind === 'flag' && chosen[path] === leaf.default;
  return { ...edits, [path]: isBack ? chosen[path] : value };
}

/** The options that differ from what the request chose. */
export function differing(fields: Field[], chosen: Values, values: Values): Leaf[] {
  const named = new Set([...changedOf(fields, chosen), ...changedOf(fields, values)]);
  return [...named].filter((leaf) => changeOf(sent(leaf, chosen), sent(leaf, values)) !== undefined);
}

/** The merge patch from what the request chose to the values. It names single options, never a whole group. */
export function patchOf(form: Form, chosen: Values, values: Values): Json {
  const patch: Json = {};
  for (const leaf of differing([...form.first, ...form.groups], chosen, values)) {
    put(patch, leaf.path.split('.'), changeOf(sent(leaf, chosen), sent(leaf, values)));
  }
  return patch;
}
