// The settings that the server gives a dashboard before the sign-in.
import { queryOptions } from '@tanstack/react-query';
import { request } from '../api/client';

export interface Settings {
  version: string;
  signIn: {
    /** Whether users sign in with a bearer token. */
    token: boolean;
    oidc: { issuer: string; clientId: string; scope: string } | null;
  };
}

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: async ({ signal }): Promise<Settings> => (await request('/ui/settings.json', { signal })).json(),
  staleTime: Infinity,
});

/** Whether the server has authentication. */
export function asksWho({ signIn }: Settings): boolean {
  return signIn.token || signIn.oidc !== null;
}
