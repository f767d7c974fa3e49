// The way to the Medusa API: one client, a deadline on every call, failures as sentences.
import { MEDUSA_BACKEND_URL, MEDUSA_PUBLISHABLE_KEY } from '$app/env/private';
import { Client, FetchError } from '@medusajs/js-sdk';
import { trouble } from '../../../runtime/trouble.js';

/** The API could not be asked or answered with an error. Its message is fit for logs and probes: no secret in it. */
export class ApiError extends Error {
  /** With which the API answered, if it did. */
  readonly status?: number;

  constructor(cause: unknown) {
    const what = cause instanceof FetchError ? `answers ${cause.status}: ${cause.message}` : trouble(cause);
    super(`the API at ${MEDUSA_BACKEND_URL} ${what}`, { cause });
    if (cause instanceof FetchError) this.status = cause.status;
  }

  /** Whether the API understood the question and says no: asking again would change nothing. */
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

/** Changes something. Longer than a read may take: the customer waits for this one, and nobody else asks for the same. */
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
