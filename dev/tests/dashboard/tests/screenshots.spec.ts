// The pictures of the documentation, taken by dev/tests/dashboard/screenshots: the real app, light and dark, on a desk and on a phone.
import { writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test } from './fixture.ts';

const MOST_BYTES = 150_000;

test.use({ flags: ['--memory-ready-after', '25s', '--deadline', '1m'], contextOptions: { reducedMotion: 'reduce' } });

async function take(page: Page, name: string) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    // Colours change by transitions, which must have ended.
    await page.evaluate(async () => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await Promise.all([document.fonts.ready, frame().then(frame)]);
      const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
      await Promise.allSettled(transitions.map(({ finished }) => finished));
      await frame().then(frame);
    });
    // Playwright itself knows no WebP, which is a third of PNG's size.
    const client = await page.context().newCDPSession(page);
    const { data } = await client.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
    const picture = Buffer.from(data, 'base64');
    expect(picture.length, name).toBeLessThanOrEqual(MOST_BYTES);
    await writeFile(`${process.env.SCREENSHOTS}/dashboard-${name}-${colorScheme}.webp`, picture);
  }
}

test('pictures', async ({ page, urumi, visitor }) => {
  test.setTimeout(300_000);
  const live = (one: Page) => expect(one.getByRole('banner').getByRole('status')).toContainText('Live');
  const names = ['Harbour Coffee', 'Bloom & Twine', 'Nordlicht Bikes', 'Ceramics by Mei', 'Tiny Press', 'Olive Grove', 'Café Zürich', 'Second Wind Surf'];
  for (const name of names) await urumi.create(name);
  await urumi.create('Paper Lantern', { options: { api: { image: 'fail.example/image-pull:2' } } });
  await urumi.create('Mountain Tea', { options: { storefront: { image: 'fail.example/crash-loop:1' } } });
  const status = async (name: string) => (await urumi.stores()).find((store) => store.name === name)?.status;
  await expect.poll(() => status('Paper Lantern'), { timeout: 120_000 }).toBe('failed');
  await expect.poll(() => status('Mountain Tea'), { timeout: 120_000 }).toBe('failed');
  await expect.poll(() => status('Second Wind Surf'), { timeout: 120_000 }).toBe('ready');
  const phone = await visitor({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  await phone.goto('/ui/stores');
  await live(phone);

  await page.goto('/ui/stores/new');
  await page.getByLabel('Name').first().fill('Atelier Nord');
  await expect(page.getByText('All good: this can be created.')).toBeVisible();
  await take(page, 'create');

  await page.goto('/ui/stores');
  await live(page);
  await urumi.create('Little Owl Books');
  await urumi.create('Paper Crane');
  await expect(page.getByRole('link', { name: 'Paper Crane', exact: true })).toBeVisible();
  await take(page, 'stores');
  await take(phone, 'phone');

  const { id } = await urumi.create('Atelier Nord');
  await page.goto(`/ui/stores/${id}`);
  const pipeline = page.getByRole('list').filter({ hasText: 'Preparations' }).getByRole('listitem');
  await expect(pipeline.filter({ hasText: 'Preparations' })).toContainText('Done');
  await expect(pipeline.filter({ hasText: 'Database' })).toContainText('In progress');
  await take(page, 'store');
  await expect.poll(() => urumi.status(id), { timeout: 60_000 }).toBe('ready');
  await page.goto('/ui/');
  await live(page);
  await take(page, 'overview');
});
