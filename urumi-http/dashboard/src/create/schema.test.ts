import { describe, expect, it } from 'vitest';
import { fieldsOf, formOf, humanize, leavesOf, type JsonSchema } from './schema';

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

it('writes keys as people do', () => {
  expect(['envSecrets', 'api', 'clusterIssuer', 'proof-of-life'].map(humanize)).toEqual([
    'Env secrets',
    'API',
    'Cluster issuer',
    'Proof of life',
  ]);
});
