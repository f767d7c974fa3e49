// Errors: the API's problem details (RFC 9457), or our own if the API could not be reached.
import type { FieldProblem, Problem } from './types';

export class ApiError extends Error {
  override name = 'ApiError';

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get status(): number {
    return this.problem.status;
  }

  get fields(): FieldProblem[] {
    return this.problem.errors ?? [];
  }
}

/** The server did not answer: it is down, or the network is. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
}

/** An error answer with any body, for example a proxy's page. */
export function asApiError(status: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'detail' in body && 'code' in body) {
    return new ApiError(body as Problem);
  }
  return new ApiError({
    type: 'about:blank',
    title: `HTTP ${status}`,
    status,
    detail: `the server, or a proxy before it, answered with status ${status} and no explanation`,
    code: 'internal',
    retryable: status >= 500,
  });
}

/** Whether the request or its answer may have been lost. */
export function isLost(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiError && [502, 503, 504].includes(error.status) && error.problem.retryable;
}
