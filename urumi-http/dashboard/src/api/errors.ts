// Messages for errors: the API's own text, which also says what to do.
import { ApiError, UnreachableError } from './problem';
import { translate } from '../texts';

export function explain(error: unknown): string {
  if (error instanceof ApiError) return error.problem.detail;
  if (error instanceof UnreachableError) return translate('error.unreachable');
  return error instanceof Error ? error.message : String(error);
}

/** Whether an automatic retry may help. */
export function worthRetrying(failures: number, error: unknown): boolean {
  if (failures >= 3) return false;
  return error instanceof UnreachableError || (error instanceof ApiError && error.problem.retryable);
}
