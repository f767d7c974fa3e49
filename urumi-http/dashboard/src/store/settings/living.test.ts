import { describe, expect, it } from 'vitest';
import { leavesOf, type Form } from '../../options/schema';
import type { Values } from '../../options/values';
import { chosenValues, differing, edited, livingForm, patchOf, secretValues, withEdit } from './living';

const text = { type: 'string' };
const schema = {
  properties: {
    api: {
      properties: {
        replicas: { type: 'integer', default: 1 },
        image: { ...text, default: 'shop:2', readOnly: true },
        prepare: { type: 'boolean', default: true },
        env: { additionalProperties: text },
        secretEnv: { writeOnly: true, additionalProperties: text },
      },
    },
    storefront: {
      properties: {
        replicas: { type: 'integer', default: 1 },
        currency: { type: ['string', 'null'], default: 'eur' },
        footerLinks: { type: 'array', items: { properties: { label: text, url: text } } },
      },
    },
    ports: { type: 'array', items: { type: 'integer' }, default: [53] },
  },
};
const requested = {
  api: {
    replicas: 2,
    prepare: true,
    image: 'own:1',
    env: { A: 'a', B: 'b' },
    secretEnv: { KEY: 'REDACTED' },
  },
  storefront: { currency: null, footerLinks: [{ label: 'a', url: 'b' }] },
  ports: [53, 54],
};
const effective = {
  ...requested,
  storefront: { ...requested.storefront, replicas: 3 },
};
const form = livingForm(schema, { requested, effective }, 'not any more');
const leaf = (path: string, of: Form = form) =>
  leavesOf([...of.first, ...of.groups]).find((one) => one.path === path);
const chosen = chosenValues(form, requested);
const patch = (edits: Values) => patchOf(form, chosen, edited(chosen, edits));

describe('the form of a living store', () => {
  it('has the value in force as the default of what was never chosen', () => {
    expect(leaf('storefront.replicas')?.default).toBe(3);
    expect(leaf('api.replicas')?.default).toBe(1);
    expect(leaf('api.image')).toMatchObject({ default: 'own:1', locked: true });
  });

  it('locks secrets and says why', () => {
    expect(leaf('api.secretEnv')).toMatchObject({ locked: true, policy: 'not any more' });
    expect(secretValues(form, requested)).toEqual({ 'api.secretEnv': [['KEY', 'REDACTED']] });
    expect(chosen).not.toHaveProperty(['api.secretEnv']);
  });

  it('offers to do without a default only where the request does', () => {
    expect(leaf('storefront.currency')?.nullable).toBe(true);
    const other = livingForm(schema, { requested: {}, effective: {} }, '');
    expect(leaf('storefront.currency', other)?.nullable).toBe(false);
  });
});

describe('the patch of edits', () => {
  it('is empty without edits', () => {
    expect(patch({})).toEqual({});
    expect(differing(form.groups, chosen, chosen)).toEqual([]);
  });

  it('names only what was edited, and takes back with null', () => {
    expect(patch({ 'api.replicas': 3 })).toEqual({ api: { replicas: 3 } });
    expect(patch({ 'api.replicas': undefined })).toEqual({ api: { replicas: null } });
    expect(patch({ 'api.replicas': '' })).toEqual({ api: { replicas: null } });
    expect(patch({ 'storefront.currency': undefined })).toEqual({ storefront: { currency: null } });
    const env = [
      ['A', 'a'],
      ['C', 'c'],
      ['', ''],
    ];
    expect(patch({ 'api.env': env })).toEqual({ api: { env: { B: null, C: 'c' } } });
    expect(patch({ ports: '[53, 55]' })).toEqual({ ports: [53, 55] });
    expect(patch({ ports: '[ 53,54 ]' })).toEqual({});
  });

  it('never takes back a whole group, which has options that the form does not send', () => {
    const all = Object.fromEntries(Object.keys(chosen).map((path) => [path, undefined]));
    expect(patch(all)).toEqual({
      api: { replicas: null, prepare: null, env: null },
      storefront: { currency: null, footerLinks: null },
      ports: null,
    });
  });

  it('is nothing when a row is added that is still empty', () => {
    expect(patch({ 'storefront.footerLinks': [{ label: 'a', url: 'b' }, {}] })).toEqual({});
  });

  it('is nothing when a switch is turned back to a value that the request names', () => {
    const off = withEdit(form, chosen, {}, 'api.prepare', false);
    expect(patch(off)).toEqual({ api: { prepare: false } });
    expect(patch(withEdit(form, chosen, off, 'api.prepare', undefined))).toEqual({});
  });
});
