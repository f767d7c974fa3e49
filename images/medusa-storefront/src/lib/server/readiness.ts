// Whether this storefront can sell: only while the API lists a region to its publishable key.
import { ApiError, ask } from './api.ts';

// Longer than a busy node takes to answer, shorter than a probe waits.
const PATIENCE = 3000;
const KEPT = 1500;

let last: { at: number; answer: Promise<string | undefined> } | undefined;

/** What is wrong, or nothing. Asks at most once in a while, however often probes come. */
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
