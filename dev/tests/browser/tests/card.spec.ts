// An order paid by card: a storefront of its own before the stand-in for Medusa, and a stand-in for Stripe in the browser.
import { expect, test, devices, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test';
import { createServer } from 'node:net';
import { violations } from './axe.ts';
import { addToCart, customer, openProduct, orderNumber, toPayment } from './customer.ts';
import { CARDS, HOSTS, standIn } from './stripe.ts';

const { BROWSER_OUTPUT, STOREFRONT_APP, STOREFRONT_TESTS } = process.env;
const FRAME = 'iframe[title="Secure payment input frame"]';
const PROVIDERS = ['pp_stripe_stripe', 'pp_system_default'];

// What images/medusa-storefront/test exports.
let api: any;
let app: any;
let shop: string;

test.skip(!STOREFRONT_APP, 'STOREFRONT_APP names no built storefront');

test.beforeAll(async () => {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
  const { medusa } = await import(`${STOREFRONT_TESTS}/medusa.js`);
  const { start } = await import(`${STOREFRONT_TESTS}/app.js`);
  api = await medusa({ publicUrl: 'https://api-1.stores.test' });
  api.sales.providers = PROVIDERS;
  shop = `http://localhost:${port}`;
  const env = { STOREFRONT_URL: shop, PORT: String(port), STRIPE_PUBLISHABLE_KEY: 'pk_test_51Abc' };
  app = await start({ MEDUSA_BACKEND_URL: api.url, ...env });
});
test.afterAll(async () => {
  await app?.stop();
  await api?.close();
});

/** A customer's browser, where pages do not fade into each other, and all that it should not do. */
async function visit(browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
  const problems: string[] = [];
  const confirmed = await standIn(context, api.sales.intents);
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${shop}/`) && !HOSTS.test(url)) problems.push(`asks somebody else: ${url}`);
  });
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('console', (message) => {
    // Chromium tells of every answer that is an error; Stripe answers a decline with one.
    const declined = message.location().url.startsWith('https://api.stripe.com/');
    if (message.type() === 'error' && !declined) problems.push(message.text());
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`the policy's ${violatedDirective} blocks ${blockedURI}`),
    );
  });
  const page = await context.newPage();
  return { context, page, problems, confirmed };
}

async function toCard(page: Page) {
  await openProduct(page, 'Wool cap', undefined, shop);
  await addToCart(page);
  await toPayment(page, { shop });
  await page.getByRole('radio', { name: 'Card' }).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${shop}/checkout/card`);
}

/** Fills in Stripe's form; `Place order` can be pressed from when it is there. */
async function fill(page: Page, number: string) {
  const form = page.frameLocator(FRAME);
  await form.getByLabel('Card number').fill(number);
  await form.getByLabel('Expiration date').fill('12 / 34');
  await form.getByLabel('Security code').fill('123');
}

const place = (page: Page) => page.getByRole('button', { name: 'Place order' });
/** By the keyboard: the form's frame grows when it is there, and a click may still go where the button has been. */
async function submit(page: Page) {
  await expect(place(page)).toBeEnabled();
  await place(page).press('Enter');
}
const orders = () => api.sales.orders.length as number;

/** Where Stripe has led the browser back to, while `act` goes on. */
async function returnAddress(context: BrowserContext, act: () => Promise<void>): Promise<string> {
  const asked = context.waitForEvent('request', (request) => request.url().includes('/checkout/card/return'));
  await act();
  return (await asked).url();
}

async function pay(context: BrowserContext, page: Page): Promise<string> {
  const address = await returnAddress(context, () => submit(page));
  await page.waitForURL(/\/orders\/order_/);
  return address;
}

const looks: [string, BrowserContextOptions][] = [
  ['desk', { viewport: { width: 1280, height: 800 } }],
  ['desk-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
  ['phone', devices['Pixel 7']!],
  ['phone-dark', { ...devices['Pixel 7'], colorScheme: 'dark' }],
];
for (const [name, options] of looks) {
  test(`a card that is taken is one order (${name})`, async ({ browser }) => {
    const { context, page, problems, confirmed } = await visit(browser, options);
    const before = orders();
    const see = async (stage: string) => {
      await page.screenshot({ path: `${BROWSER_OUTPUT}/card-${name}-${stage}.png` });
      expect(await violations(page, FRAME), stage).toEqual([]);
    };
    await toCard(page);
    const label = page.frameLocator(FRAME).getByText('Card number');
    await expect(place(page)).toBeEnabled();
    const ink = (element: Element) => getComputedStyle(element).color;
    expect(await label.evaluate(ink), 'what Stripe writes has the page’s ink').toBe(await page.locator('body').evaluate(ink));
    await fill(page, CARDS.good);
    await see('form');
    const address = new URL(await pay(context, page));
    expect(address.searchParams.get('redirect_status')).toBe('succeeded');
    expect(address.searchParams.get('payment_intent')).toMatch(/^pi_/);
    await see('confirmation');
    await orderNumber(page);
    expect(orders()).toBe(before + 1);
    expect(confirmed).toHaveLength(1);
    expect(problems).toEqual([]);
    await context.close();
  });
}

test('the way back from Stripe ends at that order by reload, in other tabs at once, and by the back button', async ({ browser }) => {
  const { context, page, problems } = await visit(browser);
  const before = orders();
  await toCard(page);
  const late = await context.newPage();
  await late.goto(`${shop}/checkout/card`);
  await fill(late, CARDS.good);
  await fill(page, CARDS.good);
  const address = await pay(context, page);
  const order = page.url();
  await page.reload();
  await page.goto(address);
  expect(page.url()).toBe(order);
  const tabs = await Promise.all([1, 2, 3].map(() => context.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto(address)));
  for (const tab of tabs) expect(tab.url()).toBe(order);

  // A tab that has the form still: Stripe takes a payment once, and the shop knows whose it was.
  await submit(late);
  await late.waitForURL(order);
  await page.goBack();
  await expect(place(page)).toHaveCount(0);
  expect(orders()).toBe(before + 1);
  expect(problems).toEqual([]);
  await context.close();
});

test('two tabs that come back from Stripe at once, before anybody has ordered, make one order', async ({ browser }) => {
  const { context, page, problems } = await visit(browser);
  const before = orders();
  await toCard(page);
  await fill(page, CARDS.good);
  // The first tab stays where it is until the others are on their way.
  await context.route('**/checkout/card/return*', (route) => route.abort());
  const address = await returnAddress(context, () => submit(page));
  await context.unroute('**/checkout/card/return*');
  expect(orders()).toBe(before);
  const tabs = await Promise.all([1, 2].map(() => context.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto(address)));
  for (const tab of tabs) {
    // The second customer may have to check again.
    const again = tab.getByRole('link', { name: 'Check again' });
    if (await again.count()) await again.click();
    await tab.waitForURL(/\/orders\/order_/);
  }
  expect(tabs[0]!.url()).toBe(tabs[1]!.url());
  expect(orders()).toBe(before + 1);
  expect(problems.filter((problem) => !problem.includes('ERR_FAILED'))).toEqual([]);
  await context.close();
});

test('a card that is declined or not filled in is told of, loses nothing, and another is taken', async ({ browser }) => {
  const { context, page, problems, confirmed } = await visit(browser);
  const before = orders();
  await toCard(page);
  const trouble = page.getByRole('main').getByRole('alert');
  await expect(trouble, 'nothing is wrong yet').toHaveCount(0);
  await submit(page);
  await expect(trouble).toHaveText('Your card number is incomplete.');
  expect(confirmed).toEqual([]);

  await fill(page, CARDS.declined);
  await submit(page);
  await expect(trouble).toContainText('Your card was declined. Nothing was ordered.');
  await page.screenshot({ path: `${BROWSER_OUTPUT}/card-declined.png` });
  expect(await violations(page, FRAME)).toEqual([]);
  expect(orders()).toBe(before);
  await expect(page.getByRole('main')).toContainText('Wool cap');
  await expect(page.getByRole('main')).toContainText(customer.email);

  await fill(page, CARDS.good);
  await pay(context, page);
  await expect(page.getByRole('main')).toContainText('Wool cap');
  expect(orders()).toBe(before + 1);
  expect(problems).toEqual([]);
  await context.close();
});

test('a bank that asks is answered in a frame of its own; who fails there may try again', async ({ browser }) => {
  const { context, page, problems } = await visit(browser);
  const before = orders();
  await toCard(page);
  await fill(page, CARDS.authenticated);
  await submit(page);
  const bank = page.frameLocator('iframe[title="Your bank"]');
  await bank.getByRole('button', { name: 'Fail' }).click();
  await expect(page.getByRole('main').getByRole('alert')).toContainText('The payment could not be made.');
  expect(orders()).toBe(before);
  await submit(page);
  await bank.getByRole('button', { name: 'Complete' }).click();
  await page.waitForURL(/\/orders\/order_/);
  expect(orders()).toBe(before + 1);
  expect(problems).toEqual([]);
  await context.close();
});

test('without JavaScript the page says what to do, and another way to pay works', async ({ browser }) => {
  const { context, page, problems, confirmed } = await visit(browser, { javaScriptEnabled: false });
  const before = orders();
  await toCard(page);
  // Playwright reads no text of a noscript by itself.
  await expect(page.locator('noscript .trouble')).toBeVisible();
  expect(await page.locator('noscript .trouble').innerText()).toContain('Paying by card needs JavaScript');
  await expect(place(page)).toBeDisabled();
  await page.screenshot({ path: `${BROWSER_OUTPUT}/card-no-javascript.png` });
  await page.getByRole('link', { name: 'Choose another way to pay' }).click();
  await page.getByRole('radio').nth(1).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await place(page).click();
  await page.waitForURL(/\/orders\/order_/);
  expect(orders()).toBe(before + 1);
  expect(confirmed).toEqual([]);
  expect(problems).toEqual([]);
  await context.close();
});

test('where Stripe cannot be reached, the page says so, and another way to pay works', async ({ browser }) => {
  const { context, page } = await visit(browser);
  await context.route(HOSTS, (route) => route.abort());
  await toCard(page);
  await expect(page.getByRole('main').getByRole('alert')).toContainText('could not be loaded. Nothing was charged');
  await expect(place(page)).toBeDisabled();
  await page.getByRole('link', { name: 'Choose another way to pay' }).click();
  await page.getByRole('radio').nth(1).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await place(page).click();
  await page.waitForURL(/\/orders\/order_/);
  await context.close();
});

test('Stripe is allowed on the page with its form only', async ({ browser }) => {
  const { context, page } = await visit(browser);
  const policies = new Map<string, string>();
  page.on('response', async (response) => {
    if (!response.url().startsWith(`${shop}/`)) return;
    policies.set(new URL(response.url()).pathname, response.headers()['content-security-policy'] ?? '');
  });
  await toCard(page);
  await fill(page, CARDS.good);
  await pay(context, page);
  const allowed = [...policies].filter(([, policy]) => /stripe|link\.com/.test(policy)).map(([path]) => path);
  expect(allowed).toEqual(['/checkout/card']);
  await context.close();
});
