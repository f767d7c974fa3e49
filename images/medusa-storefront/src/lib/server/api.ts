// The way to the Medusa API: one client, a deadline on every call, failures as sentences.
import { MEDUSA_BACKEND_URL, MEDUSA_PUBLISHABLE_KEY } from '$app/env/private';
import { Client, FetchError } from '@medusajs/js-sdk';
import { trouble } from '../../../runtime/trouble.js';

/** The API could not be asked or answered with an error. Its message is fit for logs and probes: no secret in it. */
export class ApiError extends Error {
  constructor(cause: unknown) {
    const what = cause instanceof FetchError ? `answers ${cause.status}: ${cause.message}` : trouble(cause);
    super(`the API at ${MEDUSA_BACKEND_URL} ${what}`, { cause });
  }
}

const client = new Client({
  baseUrl: MEDUSA_BACKEND_URL,
  publishableKey: MEDUSA_PUBLISHABLE_KEY,
  auth: { type: 'jwt', jwtTokenStorageMethod: 'nostore' },
});

export async function ask<T>(path: string, query: Record<string, unknown>, timeout = 5000): Promise<T> {
  try {
    return await client.fetch<T>(path, { query, signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    throw new ApiError(error);
  }
}
