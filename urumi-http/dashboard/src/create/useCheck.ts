// Asks the API, as one types, what a request would make.
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/problem';
import type { CreateStore, FieldProblem, Preview } from '../api/types';
import { isLost, preview } from './send';

/** How long one has to pause for what was typed to be checked. */
const PAUSE_MS = 350;
const AGAIN_MS = 5_000;

export interface Check {
  /** What the newest acceptable request would make. */
  preview?: Preview;
  /** What is wrong with the newest request that was checked. */
  error?: Error;
  /** Whether something newer than that is typed or on its way. */
  checking: boolean;
  again(): void;
}

export function useCheck(request: CreateStore, enabled: boolean): Check {
  // What was typed while nothing was to be checked is not checked late either.
  const text = enabled ? JSON.stringify(request) : '';
  const [settled] = useDebouncedValue(text, PAUSE_MS);
  const query = useQuery({
    queryKey: ['dry-run', settled],
    // Whatever is asked before this has answered aborts it.
    queryFn: ({ signal }) => preview(JSON.parse(settled) as CreateStore, signal),
    enabled: enabled && settled !== '',
    retry: false,
    networkMode: 'always',
    staleTime: 10_000,
    gcTime: 10_000,
    refetchInterval: ({ state }) => (isLost(state.error) ? AGAIN_MS : false),
  });
  // Until there is a newer answer the former one stays: nothing flickers while one types.
  const [known, setKnown] = useState<{ preview?: Preview; error?: Error }>({});
  if (query.isSuccess && (known.preview !== query.data || known.error)) setKnown({ preview: query.data });
  if (query.isError && known.error !== query.error) setKnown({ preview: known.preview, error: query.error });
  return {
    ...known,
    checking: enabled && (settled !== text || query.isFetching),
    again: () => void query.refetch(),
  };
}

/** What an error says of fields. That an id is taken is said of the request as a whole. */
export function fieldProblems(error: unknown): FieldProblem[] {
  if (!(error instanceof ApiError)) return [];
  if (error.problem.code === 'already-exists') return [{ field: 'id', message: error.problem.detail }];
  return error.fields;
}
