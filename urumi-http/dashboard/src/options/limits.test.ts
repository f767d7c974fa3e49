import { createTranslator } from 'use-intl';
import { describe, expect, it } from 'vitest';
import en from '../texts/en.options.json';
import { amount, checkLimits } from './limits';
import { fieldsOf } from './schema';
import type { Values } from './values';

const t = createTranslator({ locale: 'en', messages: en, namespace: 'options.limits' });
const fields = fieldsOf({
  properties: {
    api: {
      properties: {
        replicas: { type: 'integer', maximum: 3 },
        memory: { type: 'string', 'x-urumi-maximum': '4Gi' },
        size: { type: 'integer', enum: [1, 2] },
        class: { type: ['string', 'null'], enum: ['fast', 'slow'] },
        image: { type: 'string', readOnly: true, enum: ['a'] },
        env: {
          additionalProperties: { type: 'string' },
          propertyNames: { enum: ['A', 'B', 'C.D'] },
          maxProperties: 2,
        },
        links: { type: 'array', items: { properties: { weight: { type: 'number', maximum: 1 } } } },
      },
    },
  },
});
const problems = (values: Values) =>
  Object.fromEntries(checkLimits(fields, values, t).map(({ field, message }) => [field, message]));

describe('limits', () => {
  it.each<[string, Values]>([
    ['nothing is set', {}],
    ['values are at their limits', { 'api.replicas': 3, 'api.memory': '4096Mi', 'api.size': 2 }],
    ['a choice is allowed', { 'api.class': 'fast' }],
    [
      'names are allowed and empty rows are not sent',
      {
        'api.env': [
          ['A', '1'],
          ['', ''],
          ['C.D', '2'],
        ],
      },
    ],
    ['a quantity is no quantity, which the API explains', { 'api.memory': 'much' }],
    ['an option is locked, so it is not sent', { 'api.image': 'b' }],
    ['rows are within their limits', { 'api.links': [{ weight: 1 }] }],
  ])('allow it if %s', (_, values) => expect(problems(values)).toEqual({}));

  it('are named at the field that exceeds them', () => {
    expect(
      problems({
        'api.replicas': 4,
        'api.memory': '4.5Gi',
        'api.size': 3,
        'api.class': null,
        'api.links': [{}, { weight: 1 }, { weight: 2 }],
      }),
    ).toEqual({
      'options.api.replicas': 'At most 3 is allowed.',
      'options.api.memory': 'At most 4Gi is allowed.',
      'options.api.size': 'Choose one of these: 1, 2.',
      'options.api.class': 'Choose one of these: fast, slow.',
      'options.api.links[1].weight': 'At most 1 is allowed.',
    });
  });

  it('hold for numbers that the input returns as text', () => {
    expect(problems({ 'api.replicas': '100000000000000000000' })).toHaveProperty(['options.api.replicas']);
  });

  it('hold for the names and the number of entries', () => {
    expect(
      problems({
        'api.env': [
          ['A', ''],
          ['X', ''],
          ['B', ''],
        ],
      }),
    ).toEqual({
      'options.api.env.X': 'Only these names are allowed: A, B, C.D.',
      'options.api.env': 'At most 2 entries are allowed.',
    });
  });
});

it.each([
  ['2', 2],
  ['.5', 0.5],
  ['5.', 5],
  ['500m', 0.5],
  ['300m', 0.3],
  ['7u', 7e-6],
  ['1k', 1000],
  ['2G', 2e9],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['1Ei', 2 ** 60],
  ['1e3', 1000],
  ['1E-2', 0.01],
  ['1E', 1e18],
  ['', NaN],
  ['1Ki2', NaN],
  ['-1', NaN],
])('the quantity %s is %d', (quantity, number) => expect(amount(quantity)).toBe(number));
