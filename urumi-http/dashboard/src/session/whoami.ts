// The signed-in user and their role. The dashboard only hides actions that the server would refuse.
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, body } from '../api/client';
import type { Role } from '../api/types';

export const whoamiQuery = queryOptions({
  queryKey: ['whoami'],
  queryFn: ({ signal }) => body(api.GET('/whoami', { signal })),
  staleTime: 5 * 60_000,
});

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the caller's role is at least this one; false until the role is known. */
export function useMay(least: Role): boolean {
  const { data } = useQuery(whoamiQuery);
  return data !== undefined && RANK[data.role] >= RANK[least];
}
