// No violation of WCAG 2.2 AA that axe can see, on every page of a purchase, light and dark.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { addToCart, checkOut, openProduct } from './customer.ts';

async function violations(page: Page) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('pages of a purchase', async ({ page }) => {
      const see = async (stage: string) => expect(await violations(page), stage).toEqual([]);
      await openProduct(page, undefined, see);
      await addToCart(page);
      await see('added');
      await checkOut(page, { see });
    });

    test('other pages', async ({ page }) => {
      for (const path of ['/cart', '/orders', '/checkout', '/nothing', '/?q=nothing-of-this-name', '/?q=notebook', '/products/linen-throw']) {
        await page.goto(path);
        expect(await violations(page), path).toEqual([]);
      }
    });
  });
}
