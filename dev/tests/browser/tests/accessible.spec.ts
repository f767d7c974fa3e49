// No violation of WCAG 2.2 AA that axe can see, on every page of a purchase, light and dark.
import { expect, test } from '@playwright/test';
import { violations } from './axe.ts';
import { addToCart, checkOut, openProduct } from './customer.ts';

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
