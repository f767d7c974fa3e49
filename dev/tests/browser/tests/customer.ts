// What a customer does in a shop, by what they see: names of links, buttons and fields, never markup.
import { expect, type Page } from '@playwright/test';

export const customer = {
  email: 'anna@example.com',
  'First name': 'Anna',
  'Last name': 'Schmidt',
  Address: 'Hauptstraße 1',
  'Postal code': '10115',
  City: 'Berlin',
};

/** Called at each stage of a purchase, by its name: for a screenshot or a look with other eyes. */
export type Witness = (stage: string) => Promise<unknown>;
const nobody: Witness = async () => {};

/** From the first page to a product that can be bought; `shop` is another origin than that of SHOP_URL. */
export async function openProduct(page: Page, title = 'Dot Grid Notebook', see = nobody, shop = '') {
  await page.goto(`${shop}/`);
  const region = page.getByLabel('Region and currency');
  await region.selectOption({ label: 'Europe (EUR)' });
  await region.locator('..').getByRole('button').click();
  await expect(page.getByRole('main')).toContainText('€');
  await see('list');
  await page.getByRole('main').getByRole('link', { name: title }).first().click();
  await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
  await see('product');
}

export async function addToCart(page: Page) {
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByRole('status')).toContainText('cart');
}

/** Presses a button of the checkout, and again if the shop is too busy: it answers 503, and asks for that. */
async function press(page: Page, button: string) {
  for (;;) {
    const answer = page.waitForResponse((response) => {
      const request = response.request();
      return request.method() === 'POST' && /\/checkout(\/|$)/.test(new URL(request.url()).pathname);
    });
    await page.getByRole('button', { name: button }).click();
    if ((await answer).status() !== 503) return;
    await expect(page.getByRole('alert')).toContainText('please try again');
  }
}

/** From a filled cart to the choice of how to pay. */
export async function toPayment(page: Page, { see = nobody, email = customer.email, shop = '' } = {}) {
  await page.goto(`${shop}/cart`);
  await see('cart');
  await page.getByRole('link', { name: 'Checkout' }).click();
  await page.getByLabel('E-mail').fill(email);
  for (const [label, value] of Object.entries(customer)) {
    if (label !== 'email') await page.getByLabel(label, { exact: true }).fill(value);
  }
  await page.getByLabel('Country').selectOption('de');
  await see('address');
  await press(page, 'Continue');
  await page.getByRole('radio', { name: 'Standard' }).check();
  await see('shipping');
  await press(page, 'Continue');
  await page.waitForURL(/\/checkout\/payment$/);
}

/** From a filled cart to the confirmation; returns the order's number. */
export async function checkOut(page: Page, { see = nobody, email = customer.email, shop = '' } = {}): Promise<string> {
  await toPayment(page, { see, email, shop });
  await page.getByRole('radio').first().check();
  await see('payment');
  await press(page, 'Continue');
  await expect(page.getByRole('main')).toContainText(email);
  await see('review');
  await press(page, 'Place order');
  await page.waitForURL(/\/orders\/order_/);
  await see('confirmation');
  return orderNumber(page);
}

/** What the confirmation says. */
export async function orderNumber(page: Page): Promise<string> {
  const number = /#(\d+)/.exec(await page.getByRole('main').innerText())?.[1];
  expect(number, 'the confirmation tells the order’s number').toBeTruthy();
  return number!;
}

/** Asks a shop for an order; what its page then shows is in `main`. */
export async function lookUp(page: Page, number: string, { email = customer.email, shop = '' } = {}) {
  await page.goto(`${shop}/orders`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Order number').fill(number);
  await page.getByRole('main').getByRole('button').click();
}
