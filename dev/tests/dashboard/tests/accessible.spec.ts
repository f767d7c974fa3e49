// No violation of WCAG 2.2 AA that axe can see, on every page, light and dark, on a desk and on a phone.
import { expect, test, violations } from './fixture.ts';

const PAGES = ['/ui/', '/ui/stores', '/ui/stores?q=nothing-of-this-name', '/ui/stores/new', '/ui/nothing', '/ui/stores/nothing'];

const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
for (const [colorScheme, where, viewport] of [
  ['light', 'desk', desk],
  ['dark', 'desk', desk],
  ['light', 'phone', phone],
] as const) {
  test.describe(`${colorScheme}, ${where}`, () => {
    test.use({ colorScheme, viewport, flags: ['--memory-ready-after', '10ms', '--deadline', '3s', '--resync', '1s'], contextOptions: { reducedMotion: 'reduce' } });

    test('pages without stores', async ({ page }) => {
      for (const path of PAGES) {
        await page.goto(path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        expect(await violations(page), path).toEqual([]);
      }
    });

    test('pages with stores', async ({ page, urumi }) => {
      test.setTimeout(180_000);
      const { id } = await urumi.create('Well');
      const ill = await urumi.create('Ill', { options: { api: { image: 'fail.example/image-pull:1' } } });
      await expect.poll(() => urumi.status(ill.id)).toBe('failed');
      await expect.poll(() => urumi.status(id)).toBe('ready');
      const of = (one: string) => ['', '/events', '/logs', '/objects', '/settings', '/history'].map((tab) => `/ui/stores/${one}${tab}`);
      for (const path of ['/ui/', '/ui/stores', ...of(id), ...of(ill.id)]) {
        await page.goto(path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.getByRole('banner').getByRole('status')).toContainText('Live');
        // What is judged must not change meanwhile: the first lines of a log enable a button.
        if (path.endsWith('/settings')) await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeVisible();
        if (path.endsWith('/history')) await expect(page.getByRole('heading', { name: 'Revision 1' })).toBeVisible();
        if (path.endsWith('/logs')) await expect(page.getByRole('button', { name: 'Download' })).toBeEnabled();
        expect(await violations(page), path).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `width of ${path}`).toBeLessThanOrEqual(viewport.width);
      }
      await page.goto(`/ui/stores/${id}`);
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await violations(page), 'deleting').toEqual([]);
    });
  });
}
