// Who one is, and what one may do: by token and by an identity provider.
import { answered, expect, test as base, violations } from './fixture.ts';
import { IdentityProvider } from './identity.ts';
import { signIn, test } from './people.ts';

test('a wrong token is told, the right one works and lasts as long as the tab, and signing out ends it', async ({ page, people, visitor }) => {
  await page.goto('/ui/stores?sort=name');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), colorScheme).toEqual([]);
  }
  await signIn(page, 'urumi_wrong');
  await expect(page.getByText('This token is not accepted')).toBeVisible();
  await signIn(page, people.admin);
  await expect(page.getByRole('heading', { name: 'Stores', level: 1 })).toBeVisible();
  await expect(page.getByText('root · administrator')).toBeVisible();
  await expect(page).toHaveURL(/\/ui\/stores\?sort=name$/);
  await page.reload();
  await expect(page.getByText('root · administrator')).toBeVisible();

  const other = await visitor();
  await other.goto('/ui/');
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))).not.toContain(people.admin);
});

test('a token that is revoked meanwhile ends at the sign-in page', async ({ page, people, urumi, line }) => {
  await page.goto('/ui/stores');
  await signIn(page, people.viewer);
  await expect(page.getByRole('banner').getByRole('status')).toContainText('Live');
  await people.revoke();
  await expect.poll(async () => (await urumi.send('GET', '/whoami', { token: people.viewer })).status).toBe(401);
  line.cut('/watch');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await signIn(page, people.admin);
  await expect(page.getByText('root · administrator')).toBeVisible();
});

test('a viewer sees what is theirs, cannot make or delete, and the API refuses it too', async ({ page, people, urumi }) => {
  const { id } = await urumi.create('Ours', { owner: 'team:shops' }, people.admin);
  await urumi.create('Not ours', {}, people.admin);
  await page.goto('/ui/stores');
  await signIn(page, people.viewer);
  await expect(page.getByText('vera · viewer')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Ours', exact: true })).toBeVisible();
  await expect(page.getByText('Not ours')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Create a store' })).toHaveCount(0);

  await page.getByRole('link', { name: 'Ours', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Ours', level: 1 })).toBeVisible();
  await expect(page.getByRole('button', { name: /delete/i })).toHaveCount(0);
  await expect(page.getByRole('button', { name: /retry|try again/i })).toHaveCount(0);
  const refused = await urumi.send('DELETE', `/stores/${id}`, { token: people.viewer });
  expect(refused.status).toBe(403);
  expect(await urumi.status(id, people.admin)).toBe('ready');
});

base.describe('by an identity provider', () => {
  const test = base.extend<{ provider: IdentityProvider }>({
    provider: async ({}, use) => {
      const provider = new IdentityProvider();
      await provider.start();
      await use(provider);
      await provider.stop();
      expect(provider.refusals).toEqual([]);
    },
    flags: async ({ provider }, use) =>
      use(['--oidc-issuer', provider.issuer, '--oidc-audience', 'urumi', '--oidc-client-id', 'urumi', '--role-binding', 'operator=team:shops']),
    allowed: async ({ provider }, use) => use(new RegExp(`asks somebody else: ${provider.issuer}/|${answered(401, 403).source}`)),
  });

  test('signs in with the authorization code and PKCE, and comes back to where one was going', async ({ page, urumi: _ }) => {
    await page.goto('/ui/stores?sort=name');
    await page.getByRole('button', { name: 'Sign in with your organisation' }).click();
    await expect(page.getByText('anna · operator')).toBeVisible();
    await expect(page).toHaveURL(/\/ui\/stores\?sort=name$/);
    await page.reload();
    await expect(page.getByText('anna · operator')).toBeVisible();
    // Of the provider's tokens only the ID token is kept. The router keeps positions of scrolling.
    const stored = () =>
      page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage }).filter((key) => !key.startsWith('tsr-scroll-restoration')));
    expect(await stored()).toEqual(['urumi.token']);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('button', { name: 'Sign in with your organisation' })).toBeVisible();
    expect(await stored()).toEqual([]);
  });

  test('somebody who may do nothing here is told so', async ({ page, provider }) => {
    provider.user = { sub: 'eve', groups: [] };
    await page.goto('/ui/');
    await page.getByRole('button', { name: 'Sign in with your organisation' }).click();
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('role');
    await expect(page.getByText('Offline')).toHaveCount(0);
    await alert.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  });
});
