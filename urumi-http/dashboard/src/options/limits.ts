// Checks the limits that the schema sets for the caller, before anything is sent. The API checks them too.
import type { useTranslations } from 'use-intl';
import type { FieldProblem } from '../api/types';
import type { Field, Leaf } from './schema';
import { changedOf, isBlank, rowsOf, sent, type Entry, type Values } from './values';

type T = ReturnType<typeof useTranslations<'options.limits'>>;

/** The problems of the values, named as the API names them: `options.api.env.NAME`. */
export function checkLimits(fields: Field[], values: Values, t: T, prefix = 'options.'): FieldProblem[] {
  return changedOf(fields, values).flatMap((leaf) => {
    const field = prefix + leaf.path;
    if (leaf.kind === 'items') {
      const rows = rowsOf<Values>(values, leaf.path).filter((row) => !isBlank(row));
      return rows.flatMap((row, index) => checkLimits(leaf.fields, row, t, `${field}[${index}].`));
    }
    if (leaf.kind === 'map') return checkEntries(leaf, rowsOf<Entry>(values, leaf.path), field, t);
    const message = checkValue(leaf, sent(leaf, values), t);
    return message === undefined ? [] : [{ field, message }];
  });
}

function checkValue(leaf: Leaf, value: unknown, t: T): string | undefined {
  if (leaf.kind !== 'list' && leaf.kind !== 'json' && leaf.allowed?.includes(value) === false) {
    return t('oneOf', { values: leaf.allowed.filter((one) => one !== null).join(', ') });
  }
  const maximum = leaf.kind === 'number' ? leaf.maximum : leaf.kind === 'text' ? leaf.largest : undefined;
  if (maximum === undefined || value === null) return undefined;
  // An input for numbers returns text if the number is too large for it.
  return amount(String(value)) > amount(String(maximum))
    ? t('maximum', { maximum: String(maximum) })
    : undefined;
}

function checkEntries(
  { names, maxEntries = Infinity }: Extract<Leaf, { kind: 'map' }>,
  rows: Entry[],
  field: string,
  t: T,
): FieldProblem[] {
  const used = new Set(rows.filter((row) => !isBlank(row)).map(([name]) => name));
  const problems = [...used]
    .filter((name) => names?.includes(name) === false)
    .map((name) => ({ field: `${field}.${name}`, message: t('names', { names: names?.join(', ') ?? '' }) }));
  if (used.size > maxEntries) problems.push({ field, message: t('entries', { count: maxEntries }) });
  return problems;
}

const QUANTITY = /^(\d+\.?\d*|\.\d+)(?:([numkMGTPE]?)|([KMGTPE])i|([eE][+-]?\d{1,3}))$/;
const DECIMAL = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** The number that a Kubernetes quantity such as `500m` or `4Gi` stands for; NaN for other text. */
export function amount(quantity: string): number {
  const [, digits, decimal, binary, exponent = ''] = QUANTITY.exec(quantity) ?? [];
  if (digits === undefined) return NaN;
  if (binary !== undefined) return Number(digits) * 1024 ** (1 + 'KMGTPE'.indexOf(binary));
  if (decimal !== undefined) return Number(`${digits}e${DECIMAL[decimal as keyof typeof DECIMAL]}`);
  return Number(digits + exponent);
}
