import { describe, expect, it } from 'vitest';
import { place } from './problems';
import { formOf } from './schema';
import { changedOf, lockedValues, toOptions, withValue } from './values';

const form = formOf({
  properties: {
    api: {
      properties: {
        replicas: { type: 'integer', default: 1 },
        env: { additionalProperties: { type: 'string' } },
        secrets: { type: 'array', items: { type: 'string' } },
      },
    },
    shop: {
      properties: {
        currency: { type: ['string', 'null'] },
        links: {
          type: 'array',
          items: { properties: { label: { type: 'string' }, href: { type: 'string' } } },
        },
      },
    },
    database: { properties: { secret: { properties: { name: { type: 'string' } } } } },
    raw: {},
  },
});
const fields = [...form.first, ...form.groups];

describe('options', () => {
  it('have only what was touched', () => {
    expect(toOptions(fields, {})).toEqual({});
    expect(toOptions(fields, { 'api.replicas': 2 })).toEqual({ api: { replicas: 2 } });
    expect(toOptions(fields, withValue({ 'api.replicas': 2 }, 'api.replicas', ''))).toEqual({});
  });

  it('leave out rows that are still empty, but not those half-written', () => {
    const env = [
      ['', ''],
      ['A', '1'],
      ['B', ''],
    ];
    expect(
      toOptions(fields, { 'api.env': env, 'api.secrets': ['', 'x'], 'shop.links': [{}, { href: '/a' }] }),
    ).toEqual({
      api: { env: { A: '1', B: '' }, secrets: ['x'] },
      shop: { links: [{ href: '/a' }] },
    });
    expect(toOptions(fields, { 'api.env': [['', '']], 'shop.links': [{}] })).toEqual({});
  });

  it('send null where something is to be done without', () => {
    expect(toOptions(fields, { 'shop.currency': null })).toEqual({ shop: { currency: null } });
  });

  it('send what is no JSON as text, for the API to refuse', () => {
    expect(toOptions(fields, { raw: '[1]' })).toEqual({ raw: [1] });
    expect(toOptions(fields, { raw: '[1' })).toEqual({ raw: '[1' });
  });
});

describe('locked options', () => {
  const locked = formOf({
    properties: {
      api: {
        properties: {
          replicas: { type: 'integer' },
          image: { type: 'string', default: 'shop:1', readOnly: true },
          size: { type: 'string', default: null, readOnly: true },
          env: { additionalProperties: { type: 'string' }, default: { A: '1' }, readOnly: true },
          raw: { default: [1], readOnly: true },
          links: {
            type: 'array',
            default: [{ label: 'A', to: { href: '/a' } }],
            readOnly: true,
            items: {
              properties: { label: { type: 'string' }, to: { properties: { href: { type: 'string' } } } },
            },
          },
          secretEnv: {
            additionalProperties: { type: 'string' },
            default: { A: '1' },
            readOnly: true,
            writeOnly: true,
          },
        },
      },
    },
  }).groups;

  it('are never sent, even if a draft has values for them', () => {
    const values = { 'api.replicas': 2, 'api.image': 'other:1', 'api.env': [['A', '2']] };
    expect(toOptions(locked, values)).toEqual({ api: { replicas: 2 } });
    expect(changedOf(locked, values).map(({ path }) => path)).toEqual(['api.replicas']);
  });

  it('have the values of their defaults, or those that the API resolved, but no secrets', () => {
    const resolved = (path: string) => (path === 'api.size' ? '5Gi' : undefined);
    expect(lockedValues(locked, resolved)).toEqual({
      'api.image': 'shop:1',
      'api.size': '5Gi',
      'api.env': [['A', '1']],
      'api.raw': '[\n  1\n]',
      'api.links': [{ label: 'A', 'to.href': '/a' }],
    });
  });

  it('cannot be corrected, so a problem with one belongs to no input', () => {
    const [problem] = place([{ field: 'options.api.image', message: '' }], { first: [], groups: locked }, {});
    expect(problem?.control).toBeUndefined();
  });
});

describe('problems', () => {
  const values = {
    'api.env': [
      ['', ''],
      ['requests.cpu', 'x'],
    ],
    'api.secrets': ['', 'a', 'B'],
    'shop.links': [{}, { label: 'a' }],
  };
  const placed = (field: string) => {
    const [{ control, group } = {}] = place([{ field, message: '' }], form, values);
    return { control, group };
  };

  it.each([
    ['name', 'name', undefined],
    ['id', 'id', undefined],
    ['options.shop.currency', 'options.shop.currency', undefined],
    ['options.api.replicas', 'options.api.replicas', 'api'],
    ['options.api.env.requests.cpu', 'options.api.env[1]', 'api'],
    ['options.api.env.GONE', 'options.api.env', 'api'],
    ['options.api.secrets[1]', 'options.api.secrets[2]', 'api'],
    ['options.api.secrets', 'options.api.secrets', 'api'],
    ['options.shop.links[0].href', 'options.shop.links[1].href', 'shop'],
    ['options.database.secret', 'options.database.secret.name', 'database'],
    ['options.raw.deep[3]', 'options.raw', ''],
  ])('of %s are at %s', (field, control, group) => {
    expect(placed(field)).toEqual({ control, group });
  });

  it.each(['options.unknown', 'options', 'body', 'options.apis'])('of %s belong to no input', (field) => {
    expect(placed(field)).toEqual({ control: undefined, group: undefined });
  });
});
