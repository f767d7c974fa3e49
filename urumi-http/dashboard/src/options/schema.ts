// The data that a form needs about an engine's options, read from their JSON Schema.

export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  title?: string;
  description?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  propertyNames?: { enum?: string[] };
  maxProperties?: number;
  /** The caller may not choose this; the default applies. */
  readOnly?: boolean;
  /** A secret: the API accepts it and never returns it. */
  writeOnly?: boolean;
  /** Why the caller may not choose freely. */
  'x-urumi-policy'?: { text?: string };
  /** The greatest quantity, such as `4Gi`. */
  'x-urumi-maximum'?: string;
}

export interface Choice {
  value: string;
  label: string;
}

interface Common {
  /** The path within the options, as the API writes it: `api.replicas`. */
  path: string;
  label: string;
  description?: string;
  /** Whether null may be sent, which removes a default. */
  nullable: boolean;
  default?: unknown;
  required: boolean;
  /** The values that the caller may choose from; undefined if there are no such limits. */
  allowed?: unknown[];
  /** Whether the caller may not choose a value. It is shown and never sent. */
  locked: boolean;
  /** Whether its values must not be stored or shown. */
  secret: boolean;
  /** Why the caller may not choose freely: one sentence. */
  policy?: string;
}

export type Leaf = Common &
  (
    | { kind: 'text'; example?: string; largest?: string }
    | { kind: 'number'; minimum?: number; maximum?: number; integer: boolean }
    | { kind: 'flag' }
    | { kind: 'choice'; choices: Choice[] }
    | { kind: 'colour' }
    | { kind: 'picture'; maxBytes?: number }
    | { kind: 'map'; names?: string[]; maxEntries?: number }
    | { kind: 'list' }
    | { kind: 'items'; fields: Field[] }
    | { kind: 'json' }
  );
export type Group = Common & { kind: 'group'; fields: Field[] };
export type Field = Leaf | Group;

/** The options that matter most to shop owners, and all others by group. */
export interface Form {
  first: Leaf[];
  /** The collapsed groups. Options without a group are in the one without a path; locked groups are in LOCKED. */
  groups: Group[];
}

/** The path of the group with all that the caller may not choose. */
export const LOCKED = '!';

const ABBREVIATIONS = new Set(['api', 'cpu', 'id', 'tls', 'url']);

/** A readable label: `envSecrets` becomes "Env secrets". */
export function humanize(key: string): string {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[\s_-]+/)
    .map((word) => word.toLowerCase())
    .map((word) => (ABBREVIATIONS.has(word) ? word.toUpperCase() : word));
  const text = words.join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function fieldsOf(schema: JsonSchema): Field[] {
  return properties(schema, schema);
}

function properties(schema: JsonSchema, root: JsonSchema, parent?: Common): Field[] {
  return Object.entries(schema.properties ?? {}).map(([key, property]) =>
    fieldOf(property, root, key, schema.required?.includes(key) ?? false, parent),
  );
}

function fieldOf(raw: JsonSchema, root: JsonSchema, key: string, required: boolean, parent?: Common): Field {
  const { schema, nullable } = plain(raw, root);
  const common: Common = {
    path: parent ? `${parent.path}.${key}` : key,
    label: schema.title ?? humanize(key),
    description: schema.description,
    nullable: nullable && schema.enum?.includes(null) !== false,
    default: schema.default ?? undefined,
    required,
    allowed: schema.enum,
    locked: schema.readOnly || parent?.locked || false,
    secret: schema.writeOnly || parent?.secret || false,
    policy: schema['x-urumi-policy']?.text ?? (parent?.locked ? parent.policy : undefined),
  };
  const choices = choicesOf(schema, root);
  if (choices) return { ...common, kind: 'choice', choices };
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
  if (type === 'boolean') return { ...common, kind: 'flag' };
  if (type === 'integer' || type === 'number') {
    const { minimum, maximum } = schema;
    return { ...common, kind: 'number', minimum, maximum, integer: type === 'integer' };
  }
  if (type === 'string') return textOf(schema, common);
  if (type === 'array' && schema.items) {
    const items = plain(schema.items, root).schema;
    if (items.type === 'string') return { ...common, kind: 'list' };
    if (items.properties) {
      const fields = properties(items, root);
      const secret = common.secret || leavesOf(fields).some((leaf) => leaf.secret);
      return { ...common, secret, kind: 'items', fields };
    }
  }
  if (schema.properties) return { ...common, kind: 'group', fields: properties(schema, root, common) };
  if (typeof schema.additionalProperties === 'object') {
    if (plain(schema.additionalProperties, root).schema.type === 'string') {
      const { propertyNames, maxProperties } = schema;
      return { ...common, kind: 'map', names: propertyNames?.enum, maxEntries: maxProperties };
    }
  }
  return { ...common, kind: 'json' };
}

function textOf(schema: JsonSchema, common: Common): Leaf {
  if (schema.format === 'data-url') {
    const kibibytes = /at most (\d+) KiB/.exec(schema.description ?? '')?.[1];
    return { ...common, kind: 'picture', maxBytes: kibibytes ? Number(kibibytes) * 1024 : undefined };
  }
  if (schema.format === 'color' || /#rrggbb/i.test(schema.description ?? ''))
    return { ...common, kind: 'colour' };
  const example = schema.examples?.find((one) => typeof one === 'string');
  return { ...common, kind: 'text', example, largest: schema['x-urumi-maximum'] };
}

/** Resolves references, and removes the alternatives by which a schema allows null. */
function plain(schema: JsonSchema, root: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (schema.$ref) {
    const { $ref, ...own } = schema;
    const target = root.$defs?.[$ref.replace('#/$defs/', '')];
    return target ? plain({ ...target, ...own }, root) : { schema: own, nullable: false };
  }
  const others = schema.anyOf?.filter((one) => one.type !== 'null');
  if (others?.length === 1 && others[0] && others.length !== schema.anyOf?.length) {
    return { schema: { ...plain(others[0], root).schema, ...schema, anyOf: undefined }, nullable: true };
  }
  return { schema, nullable: Array.isArray(schema.type) && schema.type.includes('null') };
}

function choicesOf(schema: JsonSchema, root: JsonSchema): Choice[] | undefined {
  const options = schema.oneOf
    ?.map((one) => plain(one, root).schema)
    .filter((one) => schema.enum?.includes(one.const) !== false);
  if (options?.length && options.every((one) => typeof one.const === 'string')) {
    return options.map((one) => ({
      value: String(one.const),
      label: one.title ?? one.description?.replace(/\.$/, '') ?? humanize(String(one.const)),
    }));
  }
  const values = schema.enum?.filter((value) => value !== null);
  if (!values?.length || !values.every((value) => typeof value === 'string')) return undefined;
  return values.map((value) => ({ value, label: humanize(value) }));
}

export function leavesOf(fields: Field[]): Leaf[] {
  return fields.flatMap((field) => (field.kind === 'group' ? leavesOf(field.fields) : [field]));
}

/** Whether the caller may choose none of it. */
export function isLocked(field: Field): boolean {
  return field.kind === 'group' ? field.fields.every(isLocked) : field.locked;
}

/**
 * Whether the option is about the shop and not about machines: its design, or a choice without a default. Schemas do
 * not say so; the kind and the name of an option show it for any engine.
 */
function isForOwners(leaf: Leaf): boolean {
  const key = leaf.path.split('.').at(-1) ?? '';
  if (leaf.kind === 'picture' || leaf.kind === 'colour') return true;
  if (leaf.kind === 'choice') return leaf.nullable;
  return leaf.kind === 'text' && /^(e-?mail|currency|language|locale|time-?zone)$/i.test(key);
}

const PICTURES_LAST = ['picture', 'colour'];

export function formOf(schema: JsonSchema): Form {
  return formWith(fieldsOf(schema));
}

export function formWith(fields: Field[]): Form {
  const first = leavesOf(fields)
    .filter((leaf) => !leaf.locked && isForOwners(leaf))
    .sort((a, b) => PICTURES_LAST.indexOf(a.kind) - PICTURES_LAST.indexOf(b.kind))
    .map((leaf, _, all) => withContext(leaf, all, fields));
  const taken = new Set(first.map((leaf) => leaf.path));
  const rest = without(fields, taken);
  const free = rest.filter((field) => !isLocked(field));
  const groups = free.filter((field) => field.kind === 'group');
  for (const [path, others] of [
    ['', free.filter((field) => field.kind !== 'group')],
    [LOCKED, rest.filter(isLocked)],
  ] as const) {
    if (others.length) groups.push({ ...NO_OPTION, path, fields: others });
  }
  return { first, groups };
}

/** A group that is not in the schema. */
const NO_OPTION = {
  kind: 'group',
  label: '',
  nullable: false,
  required: false,
  locked: false,
  secret: false,
} as const;

/** The only option of a group also gets the group's name in its label, because it is shown without the group. */
function withContext(leaf: Leaf, all: Leaf[], fields: Field[]): Leaf {
  const top = leaf.path.split('.')[0] ?? '';
  const alone = all.filter((other) => other.path.startsWith(`${top}.`)).length === 1;
  const group = fields.find((field) => field.kind === 'group' && field.path === top);
  if (!alone || !group) return leaf;
  return { ...leaf, label: `${group.label} ${leaf.label.toLowerCase()}` };
}

function without(fields: Field[], taken: ReadonlySet<string>): Field[] {
  return fields.flatMap((field): Field[] => {
    if (field.kind !== 'group') return taken.has(field.path) ? [] : [field];
    const left = without(field.fields, taken);
    return left.length ? [{ ...field, fields: left }] : [];
  });
}
