// The list of stores: searched, filtered and ordered, with the address as its state.
import { CUT, expect, test } from './fixture.ts';

test.use({ flags: ['--memory-ready-after', '10ms'] });

test('invites to create where there is nothing yet', async ({ page }) => {
  await page.goto('/ui/stores');
  await page.getByRole('main').getByRole('link', { name: 'Create the first store' }).click();
  await expect(page).toHaveURL(/\/ui\/stores\/new$/);
  // The menu says where one is, once.
  await expect(page.getByRole('navigation', { name: 'Menu' }).locator('[aria-current]')).toHaveText('Create a store');
});

test('says that the stores of an in-memory cluster are simulated', async ({ page }) => {
  await page.goto('/ui/stores');
  await expect(page.getByRole('note').filter({ hasText: 'in-memory cluster' })).toBeVisible();
});

test('is searched, filtered and ordered, and a link shows the same', async ({ page, urumi, visitor }) => {
  // Ids are searched too: those that are drawn might have any letter.
  await Promise.all(['Ant', 'Bee', 'Cat', 'Cow'].map((name) => urumi.create(name, { id: name.toLowerCase() })));
  await urumi.create('Dog', { id: 'dog', options: { api: { image: 'fail.example/image-pull:1' } } });
  await page.goto('/ui/stores');
  const names = page.getByRole('table').getByRole('row').getByRole('link', { name: /^(Ant|Bee|Cat|Cow|Dog)$/ });
  await expect(names).toHaveCount(5);

  await page.getByRole('button', { name: 'Name' }).click();
  await expect(page.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(names).toHaveText(['Ant', 'Bee', 'Cat', 'Cow', 'Dog']);
  await page.getByRole('button', { name: 'Name' }).click();
  await expect(names).toHaveText(['Dog', 'Cow', 'Cat', 'Bee', 'Ant']);

  await page.getByLabel('Search').fill('c');
  await expect(page.getByRole('status').filter({ hasText: 'stores' })).toHaveText('2 stores');
  await expect(names).toHaveText(['Cow', 'Cat']);

  const other = await visitor();
  await other.goto(page.url());
  await expect(other.getByLabel('Search')).toHaveValue('c');
  await expect(other.getByRole('table').getByRole('link', { name: /^C/ })).toHaveText(['Cow', 'Cat']);

  await page.getByLabel('Search').fill('nothing of this name');
  await page.getByRole('button', { name: 'Show all stores' }).click();
  await expect(names).toHaveCount(5);
  await page.getByRole('group', { name: 'Status' }).getByText('Ready').click();
  await expect(names).toHaveCount(4);
  await expect(page).toHaveURL(/status=/);
  await page.reload();
  await expect(names).toHaveCount(4);
});

test('two browsers see each other’s changes', async ({ page, urumi, visitor }) => {
  const other = await visitor();
  await page.goto('/ui/stores');
  await other.goto('/ui/');
  await expect(page.getByText('No stores yet')).toBeVisible();
  await expect(other.getByText('No stores yet')).toBeVisible();
  const { id } = await urumi.create('Seen by both');
  for (const one of [page, other]) await expect(one.getByRole('link', { name: 'Seen by both', exact: true }).first()).toBeVisible();
  await urumi.ask('DELETE', `/stores/${id}`);
  for (const one of [page, other]) await expect(one.getByText('No stores yet')).toBeVisible();
});

test.describe('served by replicas of its own', () => {
  test.use({ apart: true, allowed: CUT });

  test('the dashboard is as live as beside the API, and says when that is away', async ({ page, urumi }) => {
    await page.goto('/ui/stores');
    const liveness = page.getByRole('banner').getByRole('status');
    await expect(liveness).toContainText('Live');
    await urumi.create('Seen from afar');
    await expect(page.getByRole('link', { name: 'Seen from afar', exact: true })).toBeVisible();
    await urumi.stop();
    await expect(liveness).toContainText('Offline');
  });
});

test('hostile names are text, and widen nothing', async ({ page, urumi }) => {
  const names = [
    '<img src=x onerror=alert(1)>',
    '"><script>alert(1)</script>',
    '{{7*7}} ${7*7} javascript:alert(1)',
    '𒐫'.repeat(63),
    '﷽'.repeat(63),
    'W'.repeat(63),
    'Z̸̡̢̛̗̘'.repeat(8),
  ];
  const ids: string[] = [];
  for (const name of names) ids.push((await urumi.create(name)).id);
  const overridden = await urumi.send('POST', '/stores', { body: { name: 'evil\u202egpj.exe', engine: 'medusa' } });
  expect(overridden.status).toBe(422);
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of ['/ui/stores', '/ui/']) {
      await page.goto(path);
      for (const name of names) await expect(page.getByRole('link', { name, exact: true }).first()).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${path} at ${width}`).toBeLessThanOrEqual(width);
      expect(await page.getByRole('main').locator('img, script').count()).toBe(0);
    }
    for (const [index, name] of names.entries()) {
      await page.goto(`/ui/stores/${ids[index]}`);
      await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${name} at ${width}`).toBeLessThanOrEqual(width);
    }
  }
});
