// The client of the Medusa API: every call has a deadline; errors are sentences.
import { MEDUSA_BACKEND_URL, MEDUSA_PUBLISHABLE_KEY } from '$app/env/private';
import { Client, FetchError } from '@medusajs/js-sdk';
import { trouble } from '../../../runtime/trouble.js';

/** The API could not be reached or answered with an error. The message has no secrets, so logs and probes may show it. */
export class ApiError extends Error {
  /** The status of the API's answer, if there is one. */
  readonly status?: number;

  constructor(cause: unknown) {
    const what = cause instanceof FetchError ? `answers ${cause.status}: ${cause.message}` : trouble(cause);
    super(`the API at ${MEDUSA_BACKEND_URL} ${what}`, { cause });
    if (cause instanceof FetchError) this.status = cause.status;
  }

  /** Whether the API refused the request; the same request would be refused again. */
  get refused(): boolean {
    return this.status !== undefined && this.status >= 400 && this.status < 500 && this.status !== 409;
  }
}

const client = new Client({
  baseUrl: MEDUSA_BACKEND_URL,
  publishableKey: MEDUSA_PUBLISHABLE_KEY,
  auth: { type: 'jwt', jwtTokenStorageMethod: 'nostore' },
});

async function call<T>(path: string, timeout: number, init: Parameters<Client['fetch']>[1]): Promise<T> {
  try {
    return await client.fetch<T>(path, { ...init, signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    throw new ApiError(error);
  }
}

export function ask<T>(path: string, query: Record<string, unknown>, timeout = 5000): Promise<T> {
  return call(path, timeout, { query });
}

/** Sends a change. The timeout is longer than for reads: only this customer waits, and the request is not shared. */
export function tell<T>(
  path: string,
  body: Record<string, unknown>,
  timeout = 10_000,
  headers: Record<string, string> = {},
): Promise<T> {
  return call(path, timeout, { method: 'POST', body, headers });
}

export function remove<T>(path: string, body?: Record<string, unknown>, timeout = 10_000): Promise<T> {
  return call(path, timeout, { method: 'DELETE', ...(body && { body }) });
}
