// An order by clicks, on a phone and on a desk, with and without JavaScript.
import { expect, test, devices } from '@playwright/test';
import { addToCart, checkOut, lookUp, openProduct } from './customer.ts';

const { BROWSER_OUTPUT } = process.env;

const cases = [
  { name: 'desk', use: { viewport: { width: 1280, height: 800 } } },
  { name: 'phone', use: devices['Pixel 7'] },
  { name: 'phone-dark', use: { ...devices['Pixel 7'], colorScheme: 'dark' as const } },
  { name: 'no-javascript', use: { javaScriptEnabled: false } },
];
for (const { name, use } of cases) {
  test.describe(name, () => {
    // A describe block cannot set the browser itself, which is the same for all.
    const { defaultBrowserType: _, ...rest } = use as (typeof devices)[string];
    test.use(rest);

    test('a customer buys', async ({ page }) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
      const origin = new URL(process.env.SHOP_URL!).origin;
      page.on('request', (request) => {
        if (!request.url().startsWith(origin)) problems.push(`asks somebody else: ${request.url()}`);
      });
      const see = (stage: string) => page.screenshot({ path: `${BROWSER_OUTPUT}/${name}-${stage}.png` });

      await openProduct(page, undefined, see);
      await addToCart(page);
      await see('added');
      const number = await checkOut(page, { see });
      console.log(`order #${number}`);

      await page.reload();
      await expect(page.getByRole('main')).toContainText(`#${number}`);
      await lookUp(page, number);
      await expect(page.getByRole('main')).toContainText('Dot Grid Notebook');
      await see('look-up');
      expect(problems).toEqual([]);
    });
  });
}

test('ten customers at once have a cart and an order each', async ({ browser }) => {
  test.setTimeout(400_000);
  const numbers = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      // Ten browsers and a shop share this machine.
      page.setDefaultTimeout(120_000);
      await openProduct(page);
      await addToCart(page);
      const number = await checkOut(page, { email: `customer-${index}@example.com` });
      await context.close();
      return number;
    }),
  );
  expect(new Set(numbers).size).toBe(10);
});

test('back, reload and a second tab after the order end at the same order', async ({ context, page }) => {
  await openProduct(page);
  await addToCart(page);
  const other = await context.newPage();
  const number = await checkOut(page);
  await page.goBack();
  await other.goto('/checkout/review');
  await expect(other.getByRole('button', { name: 'Place order' })).toHaveCount(0);
  await lookUp(page, String(Number(number) + 1));
  await expect(page.getByRole('main')).not.toContainText('Dot Grid Notebook');
});
