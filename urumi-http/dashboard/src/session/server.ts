// The server's version, and what its users should know.
import { queryOptions } from '@tanstack/react-query';
import { request } from '../api/client';

export interface ServerInfo {
  version: string;
  /** Sentences to show to every user, e.g. that the stores are simulated. */
  notices: string[];
}

export const serverQuery = queryOptions({
  queryKey: ['server'],
  queryFn: async ({ signal }): Promise<ServerInfo> => (await request('/version', { signal })).json(),
  staleTime: Infinity,
  retry: false,
});
