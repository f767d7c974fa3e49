// Asks the API for a preview while the user types.
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/problem';
import type { CreateStore, FieldProblem, Preview } from '../api/types';
import { isLost, preview } from './send';

/** The pause in typing after which the input is checked. */
const PAUSE_MS = 350;
const AGAIN_MS = 5_000;

export interface Check {
  /** The preview of the newest valid request. */
  preview?: Preview;
  /** The problem with the newest checked request. */
  error?: Error;
  /** Whether newer input is being typed or checked. */
  checking: boolean;
  again(): void;
}

export function useCheck(request: CreateStore, enabled: boolean): Check {
  // Input typed while checks were off is not checked later.
  const text = enabled ? JSON.stringify(request) : '';
  const [settled] = useDebouncedValue(text, PAUSE_MS);
  const query = useQuery({
    queryKey: ['preview', settled],
    // A newer request aborts this one if it has not been answered.
    queryFn: ({ signal }) => preview(JSON.parse(settled) as CreateStore, signal),
    enabled: enabled && settled !== '',
    retry: false,
    networkMode: 'always',
    staleTime: 10_000,
    gcTime: 10_000,
    refetchInterval: ({ state }) => (isLost(state.error) ? AGAIN_MS : false),
  });
  // The previous answer stays until there is a newer one, so nothing flickers while the user types.
  const [known, setKnown] = useState<{ preview?: Preview; error?: Error }>({});
  if (query.isSuccess && (known.preview !== query.data || known.error)) setKnown({ preview: query.data });
  if (query.isError && known.error !== query.error) setKnown({ preview: known.preview, error: query.error });
  return {
    ...known,
    checking: enabled && (settled !== text || query.isFetching),
    again: () => void query.refetch(),
  };
}

/** The problems of single fields. A taken id is a problem of the request as a whole. */
export function fieldProblems(error: unknown): FieldProblem[] {
  if (!(error instanceof ApiError)) return [];
  if (error.problem.code === 'already-exists') return [{ field: 'id', message: error.problem.detail }];
  return error.fields;
}
