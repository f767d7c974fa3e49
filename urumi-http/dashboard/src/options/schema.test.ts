import { describe, expect, it } from 'vitest';
import { fieldsOf, formOf, humanize, leavesOf, LOCKED, type JsonSchema } from './schema';

const schema: JsonSchema = {
  type: 'object',
  $defs: { Quantity: { type: 'string', examples: ['500m'] } },
  properties: {
    admin: { type: 'object', properties: { email: { type: ['string', 'null'] } } },
    domain: { type: ['string', 'null'], default: 'shops.example' },
    quota: { type: 'object', additionalProperties: { $ref: '#/$defs/Quantity' } },
    shop: {
      type: 'object',
      description: 'The shop.',
      properties: {
        replicas: { type: 'integer', minimum: 1, maximum: 20, default: 1 },
        prepare: { type: 'boolean', default: true },
        size: { $ref: '#/$defs/Quantity', default: '5Gi' },
        secrets: { type: 'array', items: { type: 'string' } },
        links: {
          type: 'array',
          items: { type: 'object', required: ['href'], properties: { href: { type: 'string' } } },
        },
        logo: { type: ['string', 'null'], format: 'data-url', description: 'An image of at most 32 KiB.' },
        accent: { type: 'string', description: 'The colour of buttons, as #rrggbb.' },
        mode: { default: 'own', oneOf: [{ const: 'own', description: 'Its own.' }, { const: 'shared' }] },
        robots: { anyOf: [{ oneOf: [{ const: 'index', description: 'They may.' }] }, { type: 'null' }] },
        level: { enum: ['low', 'high', null] },
        anything: {},
      },
    },
  },
};

const byPath = (path: string) => leavesOf(fieldsOf(schema)).find((leaf) => leaf.path === path);

describe('the fields of a schema', () => {
  it.each([
    ['admin.email', { kind: 'text', nullable: true }],
    ['domain', { kind: 'text', nullable: true, default: 'shops.example' }],
    ['quota', { kind: 'map' }],
    ['shop.replicas', { kind: 'number', minimum: 1, maximum: 20, integer: true, default: 1 }],
    ['shop.prepare', { kind: 'flag', default: true }],
    ['shop.size', { kind: 'text', default: '5Gi', example: '500m' }],
    ['shop.secrets', { kind: 'list' }],
    ['shop.logo', { kind: 'picture', maxBytes: 32 * 1024 }],
    ['shop.accent', { kind: 'colour' }],
    ['shop.robots', { kind: 'choice', nullable: true, choices: [{ value: 'index', label: 'They may' }] }],
    ['shop.anything', { kind: 'json' }],
  ])('%s', (path, expected) => {
    expect(byPath(path)).toMatchObject(expected);
  });

  it('names choices by what is said of them, else by themselves', () => {
    expect(byPath('shop.mode')).toMatchObject({
      choices: [
        { value: 'own', label: 'Its own' },
        { value: 'shared', label: 'Shared' },
      ],
    });
    expect(byPath('shop.level')).toMatchObject({ choices: [{ value: 'low' }, { value: 'high' }] });
  });

  it('has small forms for lists of objects', () => {
    expect(byPath('shop.links')).toMatchObject({
      kind: 'items',
      fields: [{ path: 'href', kind: 'text', required: true }],
    });
  });
});

describe('the form', () => {
  const form = formOf(schema);

  it('asks first what is about the shop, pictures and colours last', () => {
    expect(form.first.map(({ path }) => path)).toEqual([
      'admin.email',
      'shop.robots',
      'shop.logo',
      'shop.accent',
    ]);
    expect(form.first[0]?.label).toBe('Admin email');
  });

  it('folds the rest into groups, without those that would be empty, and what is loose into the last', () => {
    expect(form.groups.map(({ path }) => path)).toEqual(['shop', '']);
    expect(leavesOf(form.groups).map(({ path }) => path)).not.toContain('shop.logo');
    expect(form.groups[1]?.fields.map(({ path }) => path)).toEqual(['domain', 'quota']);
  });
});

describe('a schema with limits for the caller', () => {
  const locked = (text: string) => ({
    readOnly: true,
    'x-urumi-policy': { rule: 'locked', liftedBy: 'administrator', text },
  });
  const form = formOf({
    $defs: { Mode: { oneOf: [{ const: 'own' }, { const: 'shared' }, { const: 'far' }] } },
    properties: {
      domain: { type: 'string', default: 'shops.example', ...locked('The domain is fixed.') },
      admin: { properties: { email: { type: 'string', ...locked('Fixed.') } } },
      api: {
        properties: {
          image: { type: 'string', ...locked('The image is fixed.') },
          replicas: { type: 'integer', maximum: 3, 'x-urumi-policy': { text: 'At most 3.' } },
          memory: { type: 'string', 'x-urumi-maximum': '4Gi' },
          mode: { $ref: '#/$defs/Mode', enum: ['own', 'shared'] },
          secretEnv: { writeOnly: true, additionalProperties: { type: 'string' } },
          env: {
            additionalProperties: { type: 'string' },
            propertyNames: { enum: ['A'] },
            maxProperties: 1,
          },
        },
      },
      database: {
        ...locked('The database is fixed.'),
        properties: { port: { type: 'integer', readOnly: true }, host: { type: 'string' } },
      },
    },
  });
  const byPath = (path: string) => leavesOf(form.groups).find((leaf) => leaf.path === path);

  it('has one group for all that is locked, and asks for none of it first', () => {
    expect(form.first).toEqual([]);
    expect(form.groups.map(({ path }) => path)).toEqual(['api', LOCKED]);
    expect(form.groups[1]?.fields.map(({ path }) => path)).toEqual(['domain', 'admin', 'database']);
  });

  it.each([
    ['api.image', { locked: true, policy: 'The image is fixed.' }],
    ['api.replicas', { locked: false, policy: 'At most 3.', maximum: 3 }],
    ['api.memory', { kind: 'text', largest: '4Gi' }],
    ['api.mode', { choices: [{ value: 'own' }, { value: 'shared' }] }],
    ['api.secretEnv', { kind: 'map', secret: true }],
    ['api.env', { kind: 'map', secret: false, names: ['A'], maxEntries: 1 }],
    ['database.port', { locked: true, policy: 'The database is fixed.' }],
    ['database.host', { locked: true, policy: 'The database is fixed.' }],
  ])('%s', (path, expected) => {
    expect(byPath(path)).toMatchObject(expected);
  });
});

it('writes keys as people do', () => {
  expect(['envSecrets', 'api', 'clusterIssuer', 'proof-of-life'].map(humanize)).toEqual([
    'Env secrets',
    'API',
    'Cluster issuer',
    'Proof of life',
  ]);
});
