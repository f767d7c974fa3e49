// The signed-in user and their role. The dashboard only hides actions that the server would refuse.
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { api, body } from '../api/client';
import { ROLES, type Role } from '../api/types';

export const whoamiQuery = queryOptions({
  queryKey: ['whoami'],
  queryFn: ({ signal }) => body(api.GET('/whoami', { signal })),
  staleTime: 5 * 60_000,
});

/** The name of a role in the reader's language. A newer server may have roles without one. */
export function useRoleName(): (role: string) => string {
  const t = useTranslations('role');
  return (role) => {
    const known = ROLES.find((one) => one === role);
    return known ? t(known) : role;
  };
}

/** Whether the caller's role is at least this one; false until the role is known. */
export function useMay(least: Role): boolean {
  const { data } = useQuery(whoamiQuery);
  return data !== undefined && ROLES.findIndex((one) => one === data.role) >= ROLES.indexOf(least);
}
