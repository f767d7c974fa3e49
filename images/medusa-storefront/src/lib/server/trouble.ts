// Errors of forms, as codes for which pages have texts.
import { fail, type ActionFailure } from '@sveltejs/kit';
import { ApiError } from './api.ts';

export type Trouble =
  | 'unavailable'
  | 'stock'
  | 'code'
  | 'refused'
  | 'changed'
  | 'unknown'
  | 'fields'
  | 'nothing'
  | 'region'
  | 'held'
  | 'often';

interface Failure {
  trouble: Trouble;
  values: Record<string, string>;
}

/** Writes a log line. */
export function note(error: ApiError) {
  const level = error.refused ? 'info' : 'error';
  console.log(JSON.stringify({ time: new Date().toISOString(), level, message: error.message }));
}

/** Handles a form; an error of the API becomes the form's answer, with all its values. */
export async function attempt<T>(
  values: Record<string, string>,
  act: () => Promise<T>,
  refusal: Trouble = 'refused',
): Promise<{ done: T; failed?: undefined } | { done?: undefined; failed: ActionFailure<Failure> }> {
  try {
    return { done: await act() };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const stock = error.refused && /inventory|stock/i.test(error.message);
    const trouble: Trouble = stock ? 'stock' : error.refused ? refusal : 'unavailable';
    note(error);
    if (error.status === 429) return { failed: fail(429, { trouble: 'often', values }) };
    return { failed: fail(error.refused ? 409 : 503, { trouble, values }) };
  }
}
