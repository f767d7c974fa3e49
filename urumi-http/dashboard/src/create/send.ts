// Sends requests to the API: previews, and creations that are repeated until there is an answer and create one store.
import { api, body } from '../api/client';
import { ApiError, isLost } from '../api/problem';
import type { CreateStore, FieldProblem, Preview, Store } from '../api/types';
import { forgetKey, keyFor, newKeyFor, type Creation } from './draft';

export async function preview(request: CreateStore, signal: AbortSignal): Promise<Preview> {
  return body(api.POST('/stores/preview', { body: request, signal }));
}

export async function post(request: CreateStore, key: string): Promise<Store> {
  const params = { header: { 'Idempotency-Key': key } };
  return body(api.POST('/stores', { params, body: request }));
}

/** The delay before each further attempt. */
export const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Whether it is certain that nothing was created. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof ApiError && error.problem.code === code;
}

/** Creates a store. Calls `onWait` for each failed attempt that is followed by another one. */
export async function create(
  { request, storable }: Creation,
  onWait: (failed: number) => void,
  send = post,
  pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
): Promise<Store> {
  let key = keyFor(storable);
  let renewed = false;
  for (let failed = 0; ;) {
    try {
      return await send(request, key);
    } catch (error) {
      const wait = WAITS_MS[failed];
      if (hasCode(error, 'idempotency-key-reused') && !renewed) {
        renewed = true;
        key = newKeyFor(storable);
      } else if (isLost(error) && wait !== undefined) {
        failed += 1;
        onWait(failed);
        await pause(wait);
      } else {
        if (isRefusal(error)) forgetKey();
        throw error;
      }
    }
  }
}

/** The problems of single fields. A taken id is a problem of the request as a whole. */
export function fieldProblems(error: unknown): FieldProblem[] {
  if (!(error instanceof ApiError)) return [];
  if (error.problem.code === 'already-exists') return [{ field: 'id', message: error.problem.detail }];
  return error.fields;
}
