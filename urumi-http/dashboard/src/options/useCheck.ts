// Asks the API what a request would do while the user types.
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isLost } from '../api/problem';

/** The pause in typing after which the input is checked. */
const PAUSE_MS = 350;
const AGAIN_MS = 5_000;

export interface Check<Preview> {
  /** The preview of the newest valid request. */
  preview?: Preview;
  /** The problem with the newest checked request. */
  error?: Error;
  /** Whether newer input is being typed or checked. */
  checking: boolean;
  again(): void;
}

interface Question<Request, Preview> {
  /** What is asked about: the same request may have another answer elsewhere. */
  about: readonly unknown[];
  request: Request;
  ask(request: Request, signal: AbortSignal): Promise<Preview>;
  enabled: boolean;
}

export function useCheck<Request, Preview>(question: Question<Request, Preview>): Check<Preview> {
  const { about, request, ask, enabled } = question;
  // Input typed while checks were off is not checked later.
  const text = enabled ? JSON.stringify([...about, request]) : '';
  const [settled] = useDebouncedValue(text, PAUSE_MS);
  const query = useQuery({
    queryKey: ['preview', settled],
    // A newer request aborts this one if it has not been answered.
    queryFn: ({ signal }) => ask((JSON.parse(settled) as unknown[]).at(-1) as Request, signal),
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
