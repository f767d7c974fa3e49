// Whether this storefront can sell: whether the API lists a region for its publishable key.
import { ApiError, ask } from './api.ts';

// Longer than a busy node needs to answer, shorter than the probe's timeout.
const PATIENCE = 3000;
const KEPT = 1500;

let last: { at: number; answer: Promise<string | undefined> } | undefined;

/** What is wrong, if anything. Caches the result, so that frequent probes cause few requests. */
export function unready(): Promise<string | undefined> {
  if (!last || performance.now() - last.at > KEPT) last = { at: performance.now(), answer: check() };
  return last.answer;
}

async function check(): Promise<string | undefined> {
  try {
    const { regions } = await ask<{ regions?: unknown[] }>('/store/regions', { fields: 'id', limit: 1 }, PATIENCE);
    return regions?.length ? undefined : 'the API lists no region';
  } catch (error) {
    return error instanceof ApiError ? error.message : 'the API could not be asked';
  }
}
