// Maps each problem of the API to its input.
import type { FieldProblem } from '../api/types';
import { leavesOf, type Field, type Form, type Leaf } from './schema';
import { isBlank, rowsOf, type Entry, type Values } from './values';

export interface PlacedProblem extends FieldProblem {
  /** The input's name for `controlId`; none if no input belongs to the problem. */
  control?: string;
  /** The collapsed group with the input. */
  group?: string;
}

/** The id of the element that gets the focus for an input. */
export function controlId(control: string): string {
  return `field-${control.replaceAll(' ', '_')}`;
}

const OPTIONS = 'options.';
const BASICS = ['name', 'id', 'engine', 'owner', 'reason'] as const;

/** Whether a field of a request is no option. */
export function isBasic(field: string): field is (typeof BASICS)[number] {
  return BASICS.some((one) => one === field);
}

export function place(problems: FieldProblem[], form: Form, values: Values): PlacedProblem[] {
  return problems.map((problem) => {
    if (isBasic(problem.field)) return { ...problem, control: problem.field };
    if (!problem.field.startsWith(OPTIONS)) return problem;
    const path = problem.field.slice(OPTIONS.length);
    const found = locate(path, form.first, values);
    if (found !== undefined) return { ...problem, control: OPTIONS + found };
    for (const group of form.groups) {
      const control = locate(path, group.fields, values);
      if (control !== undefined) return { ...problem, control: OPTIONS + control, group: group.path };
    }
    return problem;
  });
}

function locate(path: string, fields: Field[], values: Values): string | undefined {
  // The user can correct nothing at a locked input.
  const leaves = leavesOf(fields).filter((leaf) => !leaf.locked);
  for (const leaf of leaves) {
    if (path === leaf.path) return path;
    if (path.startsWith(`${leaf.path}.`) || path.startsWith(`${leaf.path}[`)) {
      return leaf.path + within(leaf, path.slice(leaf.path.length), values);
    }
  }
  // The problem is about a group: use its first input.
  return leaves.find((leaf) => leaf.path.startsWith(`${path}.`))?.path;
}

/** Empty rows are not sent, so the API does not count them. */
function within(leaf: Leaf, rest: string, values: Values): string {
  if (leaf.kind === 'map') {
    const row = rowsOf<Entry>(values, leaf.path).findIndex(([name]) => name === rest.slice(1));
    return row < 0 ? '' : `[${row}]`;
  }
  if (leaf.kind !== 'list' && leaf.kind !== 'items') return '';
  const match = /^\[(\d+)\](?:\.(.*))?$/.exec(rest);
  if (!match) return '';
  const rows = rowsOf(values, leaf.path);
  const row = [...rows.keys()].filter((index) => !isBlank(rows[index]))[Number(match[1])];
  if (row === undefined) return '';
  if (leaf.kind === 'list') return `[${row}]`;
  const inner = locate(match[2] ?? '', leaf.fields, rows[row] as Values);
  return inner === undefined ? '' : `[${row}].${inner}`;
}

/** The message of each input. */
export function messagesByControl(problems: PlacedProblem[]): ReadonlyMap<string, string> {
  const messages = new Map<string, string>();
  for (const { control, message } of problems) {
    if (control === undefined) continue;
    const before = messages.get(control);
    messages.set(control, before === undefined ? message : `${before}; ${message}`);
  }
  return messages;
}

/** The number of problems in each group. */
export function countByGroup(problems: PlacedProblem[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { group } of problems) {
    if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return counts;
}
