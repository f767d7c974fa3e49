import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, UnreachableError } from '../api/problem';
import type { Problem, Store } from '../api/types';
import {
  clearDraft,
  keyFor,
  loadDraft,
  newKeyFor,
  nextId,
  requestOf,
  saveDraft,
  suggestId,
  wasSent,
} from './draft';
import { formOf } from '../options/schema';
import { create, WAITS_MS } from './send';

const VALID_ID = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const form = formOf({ properties: { replicas: { type: 'integer' } } });
const request = { name: 'Shop', engine: 'medusa', id: 'shop' };

beforeEach(() => sessionStorage.clear());

describe('the suggested id', () => {
  it.each([
    ['My Shop', 'my-shop'],
    ['  Café Öl & Söhne! ', 'cafe-ol-sohne'],
    ['Straße №5', 'strasse-no5'],
    ["Ann's", 'anns'],
    ['寧', ''],
    ['---', ''],
    ['<img onerror>', 'img-onerror'],
  ])('of %s is %s', (name, id) => expect(suggestId(name)).toBe(id));

  it('is never one that the API would refuse', () => {
    for (const name of [
      'a'.repeat(80),
      `${'ab '.repeat(40)}`,
      `${'a'.repeat(49)} b`,
      '-a-',
      `!${'b'.repeat(60)}`,
    ]) {
      expect(suggestId(name)).toMatch(VALID_ID);
      expect(suggestId(name).length).toBeLessThanOrEqual(50);
    }
  });

  it('counts on where it is taken', () => {
    expect(['shop', 'shop-2', 'shop-9', 'a'.repeat(50)].map(nextId)).toEqual([
      'shop-2',
      'shop-3',
      'shop-10',
      `${'a'.repeat(48)}-2`,
    ]);
  });
});

describe('a draft', () => {
  it('becomes a request that has only what was said', () => {
    expect(requestOf({ name: 'My Shop', values: {} }, 'medusa', form)).toEqual({
      name: 'My Shop',
      engine: 'medusa',
      id: 'my-shop',
    });
    const draft = {
      name: 'A',
      id: '',
      owner: 'team:web',
      values: { medusa: { replicas: 2 }, other: { replicas: 3 } },
    };
    expect(requestOf(draft, 'medusa', form)).toEqual({
      name: 'A',
      engine: 'medusa',
      owner: 'team:web',
      options: { replicas: 2 },
    });
  });

  it('is kept until it is cleared, and survives what is no draft', () => {
    saveDraft({ name: 'A', values: {} });
    expect(loadDraft().name).toBe('A');
    clearDraft();
    expect(loadDraft().name).toBe('');
    sessionStorage.setItem('urumi.create.draft', '{');
    expect(loadDraft()).toEqual({ name: '', values: {} });
  });
});

describe('the Idempotency-Key', () => {
  it('is the same for the same request only', () => {
    expect(wasSent(request)).toBe(false);
    const key = keyFor(request);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(keyFor({ ...request })).toBe(key);
    expect(wasSent(request)).toBe(true);
    expect(newKeyFor(request)).not.toBe(key);
    const other = keyFor({ ...request, name: 'Other' });
    expect(other).not.toBe(key);
  });
});

describe('secrets', () => {
  const form = formOf({
    properties: {
      api: {
        properties: {
          replicas: { type: 'integer' },
          secretEnv: { writeOnly: true, additionalProperties: { type: 'string' } },
        },
      },
    },
  });
  const draft = { name: 'Shop', values: { medusa: { 'api.replicas': 2 } } };
  const secrets = { 'api.secretEnv': [['KEY', 'hunter2']] };

  it('are sent, and never stored to find the Idempotency-Key', async () => {
    const request = requestOf(draft, 'medusa', form, secrets);
    expect(request.options).toEqual({ api: { replicas: 2, secretEnv: { KEY: 'hunter2' } } });
    const storable = requestOf(draft, 'medusa', form);
    expect(storable.options).toEqual({ api: { replicas: 2 } });
    const send = vi
      .fn<(request: unknown, key: string) => Promise<Store>>()
      .mockRejectedValueOnce(
        new ApiError({
          type: '',
          title: '',
          detail: '',
          status: 422,
          code: 'idempotency-key-reused',
          retryable: false,
        }),
      )
      .mockResolvedValue({ id: 'shop' } as Store);
    await create({ request, storable }, vi.fn(), send);
    expect(send.mock.calls.map(([sent]) => sent)).toEqual([request, request]);
    expect(wasSent(storable)).toBe(true);
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('hunter2');
  });
});

describe('a creation', () => {
  const store = { id: 'shop' } as Store;
  const problem = (status: number, code: Problem['code'], retryable = false) =>
    new ApiError({ type: '', title: '', detail: '', status, code, retryable });
  const pause = () => Promise.resolve();

  it('is sent again with its key while no answer comes', async () => {
    const send = vi
      .fn<(request: unknown, key: string) => Promise<Store>>()
      .mockRejectedValueOnce(new UnreachableError())
      .mockRejectedValueOnce(problem(503, 'overloaded', true))
      .mockRejectedValueOnce(problem(504, 'timed-out', true))
      .mockResolvedValue(store);
    const onWait = vi.fn();
    expect(await create({ request, storable: request }, onWait, send, pause)).toBe(store);
    expect(new Set(send.mock.calls.map(([, key]) => key)).size).toBe(1);
    expect(onWait.mock.calls).toEqual([[1], [2], [3]]);
  });

  it('gives up at last, and goes on with the same key when asked again', async () => {
    const send = vi
      .fn<(request: unknown, key: string) => Promise<Store>>()
      .mockRejectedValue(new UnreachableError());
    await expect(create({ request, storable: request }, vi.fn(), send, pause)).rejects.toThrow(
      UnreachableError,
    );
    expect(send).toHaveBeenCalledTimes(WAITS_MS.length + 1);
    await expect(create({ request, storable: request }, vi.fn(), send, pause)).rejects.toThrow(
      UnreachableError,
    );
    expect(new Set(send.mock.calls.map(([, key]) => key)).size).toBe(1);
  });

  it('takes a new key, once, where the key made another store', async () => {
    const send = vi
      .fn<(request: unknown, key: string) => Promise<Store>>()
      .mockRejectedValueOnce(problem(422, 'idempotency-key-reused'))
      .mockResolvedValue(store);
    expect(await create({ request, storable: request }, vi.fn(), send, pause)).toBe(store);
    expect(new Set(send.mock.calls.map(([, key]) => key)).size).toBe(2);

    const never = vi.fn().mockRejectedValue(problem(422, 'idempotency-key-reused'));
    await expect(create({ request, storable: request }, vi.fn(), never, pause)).rejects.toThrow(ApiError);
    expect(never).toHaveBeenCalledTimes(2);
  });

  it('is not repeated where the answer is no', async () => {
    for (const refusal of [
      problem(409, 'already-exists'),
      problem(502, 'cluster-refused'),
      problem(429, 'rate-limited', true),
    ]) {
      const send = vi.fn().mockRejectedValue(refusal);
      await expect(create({ request, storable: request }, vi.fn(), send, pause)).rejects.toBe(refusal);
      expect(send).toHaveBeenCalledTimes(1);
    }
  });

  it('takes a new key next time where its store is being deleted', async () => {
    const key = keyFor(request);
    const send = vi.fn().mockRejectedValue(problem(409, 'idempotency-key-in-use'));
    await expect(create({ request, storable: request }, vi.fn(), send, pause)).rejects.toThrow(ApiError);
    expect(keyFor(request)).not.toBe(key);
  });
});
