// What the server tells a dashboard before anybody is signed in.
import { queryOptions } from '@tanstack/react-query';
import { request } from '../api/client';

export interface Settings {
  version: string;
  signIn: {
    /** Whether a bearer token is asked for. */
    token: boolean;
    oidc: { issuer: string; clientId: string; scope: string } | null;
  };
}

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: async ({ signal }): Promise<Settings> => (await request('/ui/settings.json', { signal })).json(),
  staleTime: Infinity,
});

/** Whether anybody is asked who they are. */
export function asksWho({ signIn }: Settings): boolean {
  return signIn.token || signIn.oidc !== null;
}
