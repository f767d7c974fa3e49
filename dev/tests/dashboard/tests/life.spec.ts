// A store's life as a person sees it: made, coming alive, looked into, deleted; and what is seen when something fails.
import { answered, CUT, expect, test } from './fixture.ts';
import { createStore, deleteStore, openTab, status } from './person.ts';

test.describe('a store that works', () => {
  // A store may go between the news of its last change and a question about that.
  test.use({ flags: ['--memory-ready-after', '500ms'], allowed: answered(404) });

  test('is made, comes alive, is looked into and deleted @kube', async ({ page, urumi }) => {
    test.setTimeout(180_000);
    const name = 'Anna’s Shop';
    const id = await createStore(page, name);
    const pipeline = page.getByRole('list').filter({ hasText: 'Preparations' }).getByRole('listitem');
    for (const part of ['Preparations', 'Database', 'Commerce API', 'Storefront', 'Addresses']) {
      await expect(pipeline.filter({ hasText: part })).toBeVisible();
    }
    await expect(status(page)).toContainText('Ready', { timeout: 90_000 });
    for (const part of ['Database', 'Commerce API', 'Storefront']) await expect(pipeline.filter({ hasText: part })).toContainText('Done');
    await expect(page.getByText('Ready after')).toBeVisible();

    await openTab(page, 'Timeline');
    for (const title of ['The creation was requested', 'The store was recorded', 'The store is ready']) {
      await expect(page.getByText(title, { exact: true })).toBeVisible();
    }
    await openTab(page, 'Objects');
    await expect(page.getByRole('navigation', { name: 'Objects' })).toBeVisible();
    await openTab(page, 'Logs');
    await expect(page.getByRole('region', { name: 'Logs' })).toBeVisible();
    // A link shows the same view.
    await page.reload();
    await expect(page.getByRole('region', { name: 'Logs' })).toBeVisible();
    await openTab(page, 'Overview');

    await deleteStore(page, name);
    await expect.poll(() => urumi.status(id)).toBe('404');
    await page.getByRole('link', { name: 'All stores' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Stores' })).toBeVisible();
    await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0);
  });

  test('writes logs that are found and kept', async ({ page, urumi }) => {
    const { id } = await urumi.create('Logged');
    await expect.poll(() => urumi.status(id)).toBe('ready');
    await page.goto(`/ui/stores/${id}/logs`);
    const lines = page.getByRole('region', { name: 'Logs' });
    await expect(lines).not.toBeEmpty();
    await page.getByLabel('Part', { exact: true }).selectOption({ label: 'Commerce API' });
    await expect(page).toHaveURL(/component=api/);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).or(page.getByRole('link', { name: 'Download' })).click();
    expect((await download).suggestedFilename()).toContain(id);
  });

  test('shows its password only when asked, and that is noted', async ({ page, urumi }) => {
    const { id } = await urumi.create('Secretive');
    await expect.poll(() => urumi.status(id)).toBe('ready');
    const { password } = await urumi.ask<{ password: string }>('GET', `/stores/${id}/credentials?reveal=true`);
    await page.goto(`/ui/stores/${id}`);
    await expect(page.getByText('First sign-in')).toBeVisible();
    expect(await page.content()).not.toContain(password);
    await page.getByRole('button', { name: 'Show the password' }).click();
    await expect(page.getByText(password)).toBeVisible();
    await page.getByRole('button', { name: 'Hide', exact: true }).click();
    await expect(page.getByText(password)).toHaveCount(0);
    await openTab(page, 'Timeline');
    await expect(page.getByText('The password was viewed').first()).toBeVisible();
  });

  test('is tried with an order, whose steps are told', async ({ page, urumi }) => {
    const { id } = await urumi.create('Tried');
    await expect.poll(() => urumi.status(id)).toBe('ready');
    await page.goto(`/ui/stores/${id}`);
    await page.getByRole('button', { name: 'Place a test order' }).click();
    await expect(page.getByText('Customers can buy')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Once more' })).toBeVisible();
  });

  test('is restarted, and goes on', async ({ page, urumi }) => {
    const { id } = await urumi.create('Restarted');
    await expect.poll(() => urumi.status(id)).toBe('ready');
    await page.goto(`/ui/stores/${id}`);
    await page.getByRole('button', { name: 'Restart' }).click();
    await expect(page.getByText('The restart was requested.')).toBeVisible();
    await openTab(page, 'Timeline');
    await expect(page.getByText('A restart was requested').first()).toBeVisible();
    await expect.poll(() => urumi.status(id)).toBe('ready');
  });

  test('a double click makes one store', async ({ page, urumi, line }) => {
    await page.goto('/ui/stores/new');
    await page.getByLabel('Name').first().fill('Only once');
    await expect(page.getByText('All good: this can be created.')).toBeVisible();
    await page.getByRole('button', { name: 'Create store' }).dblclick();
    await expect(page.getByRole('heading', { level: 1, name: 'Only once' })).toBeVisible();
    expect(await urumi.stores()).toHaveLength(1);
    expect(line.seen.filter((asked) => asked === 'POST /stores')).toHaveLength(1);
  });

  test.describe('whose answer is lost', () => {
    test.use({ allowed: CUT });

    test('is asked for again and made once', async ({ page, urumi, line }) => {
      await page.goto('/ui/stores/new');
      await page.getByLabel('Name').first().fill('Lost and found');
      await expect(page.getByText('All good: this can be created.')).toBeVisible();
      line.loseAnswer('POST', '/stores');
      line.loseAnswer('POST', '/stores');
      await page.getByRole('button', { name: 'Create store' }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Lost and found' })).toBeVisible();
      expect(await urumi.stores()).toHaveLength(1);
      expect(line.seen.filter((asked) => asked === 'POST /stores').length).toBeGreaterThanOrEqual(3);
    });
  });

  test.describe('that cannot be made', () => {
    test.use({ allowed: answered(409, 422) });

    test('is told in the server’s words while one types', async ({ page, urumi }) => {
      await urumi.create('Taken', { id: 'taken' });
      await page.goto('/ui/stores/new');
      const name = page.getByLabel('Name').first();
      await name.fill('evil\u202egpj.exe');
      await name.blur();
      await expect(page.getByText('contains the character U+202E, which cannot be shown')).toBeVisible();
      await name.fill('Taken');
      const id = page.getByLabel('Short name in the address');
      await id.fill('taken');
      await expect(page.getByRole('button', { name: /Use taken-2 instead/ })).toBeVisible();
      await page.getByRole('button', { name: /Use taken-2 instead/ }).click();
      await expect(id).toHaveValue('taken-2');
      await expect(page.getByText('All good: this can be created.')).toBeVisible();
      expect(await urumi.stores()).toHaveLength(1);
    });
  });

  test.describe('whose name is typed slowly', () => {
    // The form asks about "By " when that takes long; white space at the end is refused.
    test.use({ allowed: answered(404, 422) });

    test('is made with the keyboard alone', async ({ page }) => {
      await page.goto('/ui/');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      const focused = page.locator(':focus');
      const tabTo = async (name: RegExp) => {
        for (let steps = 0; steps < 60; steps++) {
          await page.keyboard.press('Tab');
          const label = await focused.evaluate((element) => {
            const labels = (element as HTMLInputElement).labels;
            return element.getAttribute('aria-label') ?? labels?.[0]?.textContent ?? element.textContent ?? '';
          });
          if (name.test(label)) return;
        }
        throw new Error(`the Tab key does not lead to ${name}`);
      };
      await page.keyboard.press('Tab');
      await expect(focused).toHaveText('Skip to the content');
      await page.keyboard.press('Enter');
      await tabTo(/^Create the first store$/);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { level: 1, name: 'Create a store' })).toBeVisible();
      await tabTo(/^Name/);
      await page.keyboard.type('By hand');
      await expect(page.getByText('All good: this can be created.')).toBeVisible();
      await tabTo(/^Create store$/);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { level: 1, name: 'By hand' })).toBeVisible();
      await expect(status(page)).toContainText('Ready');
      await tabTo(/^Delete$/);
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog').getByRole('textbox')).toBeFocused();
      await page.keyboard.type('By hand');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { name: 'By hand is gone' })).toBeVisible();
    });
  });
});

test.describe('a store that is slower than its deadline', () => {
  test.use({ flags: ['--deadline', '5s', '--resync', '1s', '--memory-ready-after', '30s'] });

  test('fails with its reason, goes on when asked to, and is ready in the end', async ({ page }) => {
    test.setTimeout(180_000);
    await createStore(page, 'Slow');
    await expect(status(page)).toContainText('Failed');
    const problem = page.getByRole('alert').filter({ hasText: 'this did not work' });
    await problem.getByRole('button', { name: 'Details from Kubernetes' }).click();
    await page.getByRole('button', { name: 'Try again', exact: true }).click();
    await expect(status(page)).toContainText('Being made');
    await expect(status(page)).toContainText('Ready', { timeout: 90_000 });
    await expect(problem).toHaveCount(0);
    await openTab(page, 'Timeline');
    await expect(page.getByText('The store failed', { exact: true }).first()).toBeVisible();
    await expect(page.getByText('A new attempt started', { exact: true }).first()).toBeVisible();
    await expect(page.getByText('The store is ready', { exact: true })).toBeVisible();
  });
});

test.describe('a store whose image cannot be had', () => {
  test.use({ flags: ['--memory-ready-after', '100ms', '--deadline', '5s', '--resync', '1s'] });

  test('says so in plain words, and Kubernetes’ own one click deeper', async ({ page, urumi }) => {
    const { id } = await urumi.create('No picture', { options: { api: { image: 'fail.example/image-pull:1' } } });
    await page.goto(`/ui/stores/${id}`);
    const problem = page.getByRole('alert').filter({ hasText: 'Commerce API' });
    await expect(problem).toContainText('cannot be downloaded');
    await expect(problem.getByText('ImagePullBackOff')).toBeHidden();
    await problem.getByRole('button', { name: 'Details from Kubernetes' }).click();
    await expect(problem.getByText('ImagePullBackOff').first()).toBeVisible();
    await expect(status(page)).toContainText('Failed');
    await page.goto('/ui/');
    await expect(page.getByRole('main').getByRole('link', { name: 'No picture' }).first()).toBeVisible();
    await expect(page.getByText('All stores are well.')).toHaveCount(0);
  });
});

test.describe('a server that dies meanwhile', () => {
  // Its parts ask again as soon as the server is back, and some of them before they hear that the store is gone.
  test.use({ flags: ['--memory-ready-after', '1h'], allowed: new RegExp(`${CUT.source}|${answered(404).source}`) });

  test('is told on the store’s page, and so is that the store did not survive it', async ({ page, urumi }) => {
    await createStore(page, 'Unlucky');
    const liveness = page.getByRole('banner').getByRole('status');
    await urumi.stop('SIGKILL');
    await expect(liveness).toContainText('Offline');
    await expect(page.getByRole('heading', { level: 1, name: 'Unlucky' })).toBeVisible();
    await urumi.start();
    await expect(page.getByRole('heading', { name: 'Unlucky is gone' })).toBeVisible();
    await expect(liveness).toContainText('Live');
  });
});
