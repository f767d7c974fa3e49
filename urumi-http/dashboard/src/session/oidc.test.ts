import { OidcClient } from 'oidc-client-ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { arrive, manager } from './oidc';
import { getToken, setToken } from './session';
import { signOut } from './signOut';

const provider = 'https://id.example';
const oidc = { issuer: provider, clientId: 'urumi', scope: 'openid' };
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = `${base64url({ alg: 'RS256' })}.${base64url({ iss: provider, sub: 'anna', aud: 'urumi' })}.signature`;

function answer(url: string): object {
  if (url.endsWith('/.well-known/openid-configuration')) {
    return {
      issuer: provider,
      authorization_endpoint: `${provider}/authorize`,
      token_endpoint: `${provider}/token`,
      userinfo_endpoint: `${provider}/userinfo`,
    };
  }
  return { token_type: 'Bearer', access_token: 'ACCESS', refresh_token: 'REFRESH', id_token: idToken };
}

beforeEach(() => {
  vi.stubGlobal(
    'fetch',
    vi.fn(async (url: string) => Response.json(answer(url))),
  );
});

afterEach(() => {
  setToken(null);
  sessionStorage.clear();
  vi.unstubAllGlobals();
});

/** Starts a sign-in and returns from the provider. */
async function returnFromProvider() {
  const { url } = await new OidcClient(manager(oidc).settings).createSigninRequest({
    request_type: 'si:r',
    state: '/ui/stores',
  });
  history.replaceState(null, '', `/ui/signed-in?code=CODE&state=${new URL(url).searchParams.get('state')}`);
}

it('keeps only the ID token of a sign-in', async () => {
  await returnFromProvider();
  expect(await arrive(oidc)).toBe('/ui/stores');
  expect(getToken()).toBe(idToken);
  expect({ ...sessionStorage }).toEqual({ 'urumi.token': idToken });
  expect({ ...localStorage }).toEqual({});
});

it('leaves nothing in the browser after a sign-out', async () => {
  // A sign-in that was not completed, one that was, and a draft.
  await returnFromProvider();
  await returnFromProvider();
  await arrive(oidc);
  sessionStorage.setItem('urumi.create.draft', '{"name":"Shop"}');
  const assign = vi.fn();
  vi.stubGlobal('location', { assign });
  signOut();
  expect(getToken()).toBeNull();
  expect({ ...sessionStorage }).toEqual({});
  expect({ ...localStorage }).toEqual({});
  expect(assign).toHaveBeenCalledOnce();
});
