// A living store is changed: what a change does is named before it is saved, and what became of it is shown after; a change
// that does not work is taken back, and an earlier revision comes back when somebody asks for it.
import type { Locator, Page } from '@playwright/test';
import { answered, expect, test, violations } from './fixture.ts';
import { openTab, status } from './person.ts';
import { signIn, test as signedIn } from './people.ts';
import type { Urumi } from './urumi.ts';

/** A ready store whose settings are open. */
async function settingsOf(page: Page, urumi: Urumi, name: string, more: object = {}): Promise<string> {
  const { id } = await urumi.create(name, more);
  await expect.poll(() => urumi.status(id)).toBe('ready');
  await page.goto(`/ui/stores/${id}`);
  await openTab(page, 'Settings');
  await expect(page.getByLabel('Name', { exact: false }).first()).toHaveValue(name);
  return id;
}

async function openGroup(page: Page, name: string): Promise<Locator> {
  const toggle = page.getByRole('button', { name: /^(Show all \d+ groups of|Hide these) options$/ });
  if ((await toggle.getAttribute('aria-expanded')) === 'false') await toggle.click();
  await page.getByRole('button', { name: new RegExp(`^${name}\\b`) }).click();
  return page.getByRole('region', { name: new RegExp(`^${name}\\b`) });
}

const effects = (page: Page) => page.getByRole('region', { name: 'What this changes' });
const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true });
/** What is said of the newest change. */
const rollout = (page: Page) => page.getByRole('main').getByRole('status').filter({ hasText: /revision|taken back/i });
const revision = (page: Page, number: number) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: `Revision ${number}` }) });

test.describe('a change that works', () => {
  test.use({ flags: ['--memory-ready-after', '200ms'] });

  test('is named before it is saved, rolled out, and told in the history', async ({ page, urumi }) => {
    const id = await settingsOf(page, urumi, 'Before the sale', { options: { storefront: { env: { SALE: 'no' } } } });
    await expect(effects(page)).toContainText('Nothing is changed yet.');
    await expect(save(page)).toBeDisabled();

    await page.getByLabel('Name', { exact: false }).first().fill('The sale');
    const storefront = await openGroup(page, 'Storefront');
    await storefront.getByLabel('Replicas').fill('2');
    await storefront.getByLabel('Env: value of number 1').fill('yes');
    const change = (option: string) => effects(page).getByRole('listitem').filter({ hasText: option });
    await expect(change('Storefront › Replicas')).toContainText(/1.*2/);
    await expect(change('Storefront › Env › SALE')).toContainText(/no.*yes/);
    await expect(change('Name')).toContainText(/Before the sale.*The sale/);
    await expect(effects(page).getByRole('listitem').filter({ hasText: /^Storefront$/ })).toBeVisible();
    await expect(effects(page)).toContainText('This can be saved.');
    await effects(page).getByRole('button', { name: 'Details for Kubernetes' }).click();
    const objects = effects(page).getByRole('group', { name: 'Details for Kubernetes' });
    await expect(objects).toContainText(`Changed: Deployment store-${id}/medusa-storefront`);
    await expect(objects.getByRole('listitem').filter({ hasText: /^spec\.replicas/ })).toContainText(/1.*2/);
    expect(await violations(page), 'a change').toEqual([]);

    await page.getByLabel('Why').fill('the sale begins');
    await save(page).click();
    await expect(page.getByRole('heading', { level: 1, name: 'The sale' })).toBeVisible();
    await expect(rollout(page)).toContainText('Revision 2 is up to date');
    await expect(effects(page)).toContainText('Nothing is changed yet.');
    await expect(save(page)).toBeDisabled();
    await expect(storefront.getByLabel('Replicas')).toHaveValue('2');
    await expect(page.getByLabel('Why')).toHaveValue('');

    await openTab(page, 'History');
    for (const told of ['Present', 'by local', 'the sale begins', 'Storefront › Replicas', 'Before the sale']) {
      await expect(revision(page, 2)).toContainText(told);
    }
    await expect(revision(page, 1)).toContainText('The store was created.');
    await expect(revision(page, 2).getByRole('button', { name: 'Return to this revision' })).toHaveCount(0);

    const [, present] = await urumi.ask<{ requested: object }[]>('GET', `/stores/${id}/revisions`);
    expect(present?.requested).toEqual({ storefront: { env: { SALE: 'yes' }, replicas: 2 } });
    await openTab(page, 'Timeline');
    await expect(page.getByText('A change was requested').first()).toBeVisible();
  });

  test('takes an option back by emptying its field', async ({ page, urumi }) => {
    const id = await settingsOf(page, urumi, 'Taken back', { options: { storefront: { replicas: 2, env: { A: 'b' } } } });
    const storefront = await openGroup(page, 'Storefront');
    await storefront.getByLabel('Replicas').fill('');
    await expect(effects(page).getByRole('listitem').filter({ hasText: 'Storefront › Replicas' })).toContainText(/2.*1/);
    await save(page).click();
    await expect(rollout(page)).toContainText('Revision 2 is up to date');
    const [, present] = await urumi.ask<{ requested: object }[]>('GET', `/stores/${id}/revisions`);
    expect(present?.requested).toEqual({ storefront: { env: { A: 'b' } } });
  });

  test('is none where today’s defaults are those of the store', async ({ page, urumi }) => {
    await settingsOf(page, urumi, 'As new');
    await page.getByRole('button', { name: 'Use today’s defaults' }).click();
    const dialog = page.getByRole('dialog', { name: 'Use today’s defaults?' });
    await expect(dialog).toContainText('so nothing would change');
    await expect(dialog.getByRole('button', { name: 'Change the store' })).toBeDisabled();
    expect(await violations(page), 'today’s defaults').toEqual([]);
    await dialog.getByRole('button', { name: 'Keep it as it is' }).click();
    await expect(dialog).toHaveCount(0);
  });

  test('comes back when somebody returns to an earlier revision', async ({ page, urumi }) => {
    const id = await settingsOf(page, urumi, 'First');
    await urumi.change(id, { name: 'Second', options: { storefront: { replicas: 2 } } });
    await expect(rollout(page)).toContainText('Revision 2 is up to date');
    await openTab(page, 'History');
    await revision(page, 1).getByRole('button', { name: 'Return to this revision' }).click();
    const dialog = page.getByRole('dialog', { name: 'Return to revision 1?' });
    await expect(dialog).toContainText('Data is not changed');
    expect(await violations(page), 'returning').toEqual([]);
    await dialog.getByRole('button', { name: 'Return', exact: true }).click();
    await expect(dialog).toHaveCount(0);
    await expect(rollout(page)).toContainText('Revision 3 is up to date');
    await expect(page.getByRole('heading', { level: 1, name: 'First' })).toBeVisible();
    await expect(revision(page, 3)).toContainText('It has the name and the options of revision 1 again.');
    await expect(revision(page, 3)).toContainText('Present');
  });

  test('goes on from what somebody else has changed meanwhile, and loses nothing', async ({ page, urumi }) => {
    const id = await settingsOf(page, urumi, 'Shared');
    await page.getByLabel('Name', { exact: false }).first().fill('Shared, by me');
    await expect(effects(page)).toContainText('This can be saved.');
    await urumi.change(id, { options: { storefront: { replicas: 2 } } });
    const meanwhile = page.getByRole('alert').filter({ hasText: 'The store was changed meanwhile' });
    await expect(meanwhile).toContainText('It is revision 2 now, by local.');
    await expect(save(page)).toBeDisabled();
    await meanwhile.getByRole('button', { name: 'Go on from revision 2' }).click();
    await expect(rollout(page)).toContainText('Revision 2 is up to date');
    await save(page).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Shared, by me' })).toBeVisible();
    await expect(rollout(page)).toContainText('Revision 3 is up to date');
    const [, , present] = await urumi.ask<{ requested: object }[]>('GET', `/stores/${id}/revisions`);
    expect(present?.requested).toEqual({ storefront: { replicas: 2 } });
  });
});

test.describe('a change that is refused', () => {
  test.use({ flags: ['--memory-ready-after', '10ms'], allowed: answered(412, 422) });

  test('is told in the server’s words at its field, and secrets are locked', async ({ page, urumi }) => {
    await settingsOf(page, urumi, 'Refused', { options: { api: { secretEnv: { STRIPE_API_KEY: 'hunter2' } } } });
    const email = page.getByLabel('Your e-mail address');
    await email.fill('other@example.com');
    await expect(page.getByText('cannot be changed: invite another administrator')).toBeVisible();
    await expect(email).toHaveAttribute('aria-invalid', 'true');
    await expect(effects(page)).toContainText('One field has to be corrected.');
    await save(page).click();
    await expect(page.getByRole('alert').filter({ hasText: 'One thing has to be corrected first' })).toBeFocused();
    await email.fill('');
    await expect(effects(page)).toContainText('Nothing is changed yet.');

    const api = await openGroup(page, 'API');
    const secrets = api.getByRole('group', { name: 'Secret env' });
    await expect(secrets).toContainText('A secret value is taken only when a store is created.');
    await expect(secrets.getByRole('textbox').first()).toHaveValue('STRIPE_API_KEY');
    await expect(secrets.getByRole('textbox').first()).toBeDisabled();
    expect(await page.content()).not.toContain('hunter2');
  });

  test('because the store has changed that moment, keeps what was typed', async ({ page, urumi }) => {
    const id = await settingsOf(page, urumi, 'Just now');
    await page.getByLabel('Name', { exact: false }).first().fill('Not lost');
    await expect(effects(page)).toContainText('This can be saved.');
    await page.route(
      (url) => url.pathname === `/stores/${id}`,
      async (route) => {
        await urumi.change(id, { name: 'By somebody else' });
        await route.continue();
      },
      { times: 1 },
    );
    await save(page).click();
    await expect(page.getByRole('alert').filter({ hasText: 'The change could not be saved' })).toContainText('nothing was done');
    await expect(page.getByLabel('Name', { exact: false }).first()).toHaveValue('Not lost');
    await page.getByRole('button', { name: 'Go on from revision 2' }).click();
    await save(page).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Not lost' })).toBeVisible();
  });
});

test.describe('a change that does not work', () => {
  test.use({ flags: ['--memory-ready-after', '10ms', '--resync', '1s'] });

  test('is taken back by itself, and the history says why', async ({ page, urumi }) => {
    test.setTimeout(180_000);
    await settingsOf(page, urumi, 'Mistaken');
    const storefront = await openGroup(page, 'Storefront');
    await storefront.getByLabel('Image').fill('fail.example/image-pull:1');
    await expect(effects(page).getByRole('listitem').filter({ hasText: 'Storefront › Image' })).toContainText('fail.example/image-pull:1');
    await save(page).click();
    await expect(rollout(page)).toContainText('Revision 2 is being rolled out');
    await openTab(page, 'Overview');
    await expect(rollout(page)).toContainText('Revision 2 is being rolled out');
    await expect(rollout(page)).toContainText('A change was taken back', { timeout: 90_000 });
    await expect(status(page)).toContainText('Ready');
    expect(await violations(page), 'a change that was taken back').toEqual([]);

    await rollout(page).getByRole('link', { name: 'Open the history' }).click();
    await expect(revision(page, 2)).toContainText('Failed');
    await expect(revision(page, 2)).toContainText('It could not be rolled out: ');
    await expect(revision(page, 2)).toContainText('ImagePullBackOff');
    expect(await violations(page), 'a history with a failure').toEqual([]);
    await expect(revision(page, 3)).toContainText('by urumi itself');
    await expect(revision(page, 3)).toContainText('Present');
    await openTab(page, 'Settings');
    await openGroup(page, 'Storefront');
    await expect(storefront.getByLabel('Image')).toHaveValue('');
  });
});

signedIn('a viewer sees the history, and cannot change anything', async ({ page, people, urumi }) => {
  const { id } = await urumi.create('Theirs', { owner: 'team:shops' }, people.admin);
  await expect.poll(() => urumi.status(id, people.admin)).toBe('ready');
  await urumi.change(id, { name: 'Theirs too', reason: 'it grows' }, people.admin);
  await page.goto(`/ui/stores/${id}`);
  await signIn(page, people.viewer);
  await openTab(page, 'History');
  await expect(revision(page, 2)).toContainText('it grows');
  await expect(revision(page, 1)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Return to this revision' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Settings' })).toHaveCount(0);

  await page.goto(`/ui/stores/${id}/settings`);
  await expect(page.getByText('Only operators can change a store')).toBeVisible();
  await expect(save(page)).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Use today’s defaults' })).toHaveCount(0);
  const rename = { body: { name: 'Mine' }, token: people.viewer };
  expect((await urumi.send('PATCH', `/stores/${id}`, rename)).status).toBe(403);
  expect((await urumi.send('POST', `/stores/${id}/rollback?to=1`, { token: people.viewer })).status).toBe(403);
});
