// The only client of the API. Its types come from the API's description. It sends the caller's token and throws typed
// errors.
import createClient, { type Middleware } from 'openapi-fetch';
import { getToken, setToken } from '../session/session';
import { asApiError, UnreachableError } from './problem';
import type { paths } from './schema';

export function authorization(): Record<string, string> {
  const token = getToken();
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** `fetch` with the caller's token. Throws if there is no answer or the answer is an error. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(authorization())) headers.set(name, value);
  return checked(await reach(() => fetch(path, { ...init, headers })));
}

async function reach(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new UnreachableError('the server cannot be reached', { cause });
  }
}

async function checked(response: Response): Promise<Response> {
  // The token was valid and no longer is: the user has to sign in again.
  if (response.status === 401) setToken(null);
  if (response.ok || response.status === 304) return response;
  throw asApiError(response.status, await response.json().catch(() => undefined));
}

const middleware: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(authorization())) request.headers.set(name, value);
    return request;
  },
  onResponse: ({ response }) => checked(response),
};

export const api = createClient<paths>({
  baseUrl: location.origin,
  fetch: (input) => reach(() => fetch(input)),
});
api.use(middleware);

/** The body of a successful answer. Errors have been thrown before. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
