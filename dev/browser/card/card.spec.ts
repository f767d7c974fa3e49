// Paying by card in a real browser. Stripe's hosts are played by the tests, so what is seen here is the shop's own part: its
// page, its script and its Content-Security-Policy.
import { devices, expect } from '@playwright/test';
import { ACCEPTED, DECLINED, goToCard, payWith, test, violations } from './shop.ts';

const { BROWSER_OUTPUT } = process.env;
const { defaultBrowserType: _, ...phone } = devices['Pixel 7'];

for (const [name, use] of Object.entries({ desk: { viewport: { width: 1280, height: 800 } }, 'phone-dark': { ...phone, colorScheme: 'dark' as const } })) {
  test.describe(name, () => {
    test.use(use);

    test('a card is taken, and the order placed once', async ({ page, context, shop }) => {
      const before = shop.api.sales.orders.length;
      await goToCard(page);
      await expect(page.getByRole('button', { name: 'Place order' })).toBeEnabled();
      expect(await violations(page)).toEqual([]);
      await page.screenshot({ path: `${BROWSER_OUTPUT}/${name}-card.png`, fullPage: true });
      const other = await context.newPage();
      await other.goto('/checkout/card');
      await payWith(page, ACCEPTED);
      await page.waitForURL(/\/orders\/order_/);
      const order = page.url();
      expect(shop.api.sales.orders).toHaveLength(before + 1);
      // The tab that was at the card too, the back button, and a reload end there as well.
      await other.reload();
      await expect(other).not.toHaveURL(/\/checkout\/card/);
      await page.goBack();
      await page.goto(order);
      await page.reload();
      await expect(page.getByRole('main')).toContainText('Wool cap');
      expect(shop.api.sales.orders).toHaveLength(before + 1);
    });
  });
}

test('a card that is declined or incomplete is told, nothing is lost, and another is taken', async ({ page, shop }) => {
  const before = shop.api.sales.orders.length;
  await goToCard(page);
  await payWith(page, '4242');
  await expect(page.getByRole('alert')).toContainText('Your card number is incomplete.');
  await payWith(page, DECLINED);
  await expect(page.getByRole('alert')).toContainText('Your card was declined.');
  expect(await violations(page)).toEqual([]);
  expect(shop.api.sales.orders).toHaveLength(before);
  await payWith(page, ACCEPTED);
  await page.waitForURL(/\/orders\/order_/);
  expect(shop.api.sales.orders).toHaveLength(before + 1);
});

test('two clicks are one payment', async ({ page, shop }) => {
  const before = shop.api.sales.orders.length;
  const confirmed: string[] = [];
  page.on('request', (request) => request.url().endsWith('/confirm') && confirmed.push(request.url()));
  await goToCard(page);
  await page.frameLocator('iframe[title="Secure payment input frame"]').getByLabel('Card number').fill(ACCEPTED);
  await page.getByRole('button', { name: 'Place order' }).dblclick();
  await page.waitForURL(/\/orders\/order_/);
  expect(confirmed).toHaveLength(1);
  expect(shop.api.sales.orders).toHaveLength(before + 1);
});

test('where Stripe cannot be reached, one is told and can pay in another way', async ({ page, context, problems }) => {
  await context.route('https://js.stripe.com/clover/stripe.js', (route) => route.abort());
  await goToCard(page);
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Place order' })).toBeDisabled();
  // The browser notes that the script did not come, which is what this is about.
  expect(problems.splice(0)).toEqual([expect.stringContaining('ERR_FAILED')]);
  await page.getByRole('link', { name: 'Choose another way to pay' }).click();
  await page.getByRole('radio').last().check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Place order' }).click();
  await page.waitForURL(/\/orders\/order_/);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the page says so, and another way to pay is open', async ({ page }) => {
    await goToCard(page);
    // Where scripts do not run, browsers show this; the test's own still passes over it.
    expect(await page.content()).toMatch(/<noscript>.*Paying by card needs JavaScript/s);
    await expect(page.getByRole('button', { name: 'Place order' })).toBeDisabled();
    await page.getByRole('link', { name: 'Choose another way to pay' }).click();
    await page.getByRole('radio').last().check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Place order' }).click();
    await page.waitForURL(/\/orders\/order_/);
  });
});
