// The engines, with the options that the caller may choose.
import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../api/client';

export const enginesQuery = queryOptions({
  queryKey: ['engines'],
  queryFn: ({ signal }) => body(api.GET('/engines', { signal })),
  staleTime: 5 * 60_000,
});
