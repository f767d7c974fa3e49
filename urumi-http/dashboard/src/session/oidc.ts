// Sign-in at the organisation's identity provider: authorization code with PKCE. Loaded only when it is used.
import { InMemoryWebStorage, User, UserManager, WebStorageStateStore } from 'oidc-client-ts';
import type { Settings } from './settings';
import { setToken } from './session';

export type Oidc = NonNullable<Settings['signIn']['oidc']>;

export function manager({ issuer, clientId, scope }: Oidc): UserManager {
  return new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: `${location.origin}${import.meta.env.BASE_URL}signed-in`,
    response_type: 'code',
    scope,
    automaticSilentRenew: false,
    // Only the ID token is needed, and `setToken` keeps it. The other tokens must not stay in the browser.
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    // Kept until the provider returns to this tab.
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });
}

/** Redirects to the identity provider, which returns to `signed-in`. */
export async function leave(oidc: Oidc, back: string) {
  await manager(oidc).signinRedirect({ state: back });
}

/** Completes the sign-in and returns the page that the user wanted. */
export async function arrive(oidc: Oidc): Promise<string> {
  const user: User = await manager(oidc).signinCallback().then(required);
  // The server checks ID tokens, whose audience is this client.
  setToken(required(user.id_token));
  return typeof user.state === 'string' ? user.state : '/';
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the identity provider sent no ID token');
  return value;
}
