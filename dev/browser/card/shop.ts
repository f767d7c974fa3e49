// A shop that takes cards, with stand-ins for Medusa and for what Stripe serves and knows.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type BrowserContext, type Page } from '@playwright/test';

const { STOREFRONT_TEST = '' } = process.env;
const standIn = (file: string) => import(pathToFileURL(join(STOREFRONT_TEST, file)).href);

export const ACCEPTED = '4242 4242 4242 4242';
export const DECLINED = '4000 0000 0000 0002';

type Shop = { origin: string; api: any };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('there is no free port');
  return address.port;
}

/** Answers for Stripe's hosts, in every tab. What Medusa learns of a payment is what is told here. */
async function playStripe(context: BrowserContext, api: any) {
  const script = await readFile(new URL('./stripe.js', import.meta.url), 'utf8');
  const frame = `<!doctype html><html lang="en"><title>Card</title><label>Card number <input inputmode="numeric"></label><script>
    addEventListener('message', ({ source, origin }) => source.postMessage(document.querySelector('input').value, origin));
  </script>`;
  await context.route('https://js.stripe.com/clover/stripe.js', (route) => route.fulfill({ contentType: 'text/javascript', body: script }));
  await context.route('https://js.stripe.com/v3/**', (route) => route.fulfill({ contentType: 'text/html', body: frame }));
  await context.route('https://api.stripe.com/v1/payment_intents/**', (route) => {
    const answer = (status: number, json: unknown) =>
      route.fulfill({ status, json, headers: { 'access-control-allow-origin': '*' } });
    const [id, verb] = new URL(route.request().url()).pathname.split('/').slice(3);
    const intent = api.sales.intents.get(id);
    const shown = () => ({ id, object: 'payment_intent', status: intent.status });
    if (!intent) return answer(404, { error: { type: 'invalid_request_error', message: `No such payment_intent: '${id}'` } });
    if (verb !== 'confirm') return answer(200, shown());
    const number = new URLSearchParams(route.request().postData() ?? '').get('number');
    if (number === DECLINED.replaceAll(' ', '')) {
      intent.failed = true;
      const declined = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' };
      return answer(402, { error: { ...declined, payment_intent: shown() } });
    }
    Object.assign(intent, { status: 'succeeded', failed: false });
    return answer(200, shown());
  });
}

export const test = base.extend<{ problems: string[] }, { shop: Shop }>({
  shop: [
    async ({}, use) => {
      const [{ medusa }, { start }] = await Promise.all([standIn('medusa.js'), standIn('app.js')]);
      const port = await freePort();
      const origin = `http://localhost:${port}`;
      const api = await medusa({ publicUrl: origin });
      api.sales.providers = ['pp_stripe_stripe', 'pp_system_default'];
      const app = await start({
        MEDUSA_BACKEND_URL: api.url,
        MEDUSA_PUBLIC_URL: api.url,
        STOREFRONT_URL: origin,
        PORT: String(port),
        STRIPE_PUBLISHABLE_KEY: 'pk_test_51Abc',
      });
      await use({ origin, api });
      await app.stop();
      await api.close();
    },
    { scope: 'worker' },
  ],
  baseURL: ({ shop }, use) => use(shop.origin),
  /** What a browser complains of, in any tab: there must be nothing. */
  problems: [
    async ({ context, shop }, use) => {
      const problems: string[] = [];
      // A card that is declined is answered with an error, which the browser notes.
      const declined = /status of 402/;
      await playStripe(context, shop.api);
      context.on('console', (message) => {
        if (message.type() === 'error' && !declined.test(message.text())) problems.push(message.text());
      });
      context.on('weberror', (error) => {
        // A page that is left while it is still being shown.
        if (!String(error.error()).includes('ViewTransition')) problems.push(String(error.error()));
      });
      context.on('request', (request) => {
        const { origin, hostname } = new URL(request.url());
        if (origin !== shop.origin && !/^(js|api)\.stripe\.com$/.test(hostname)) problems.push(`asks somebody else: ${request.url()}`);
      });
      await use(problems);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

/** From a product to Stripe's form. */
export async function goToCard(page: Page) {
  await page.goto('/products/wool-cap');
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByRole('status')).toContainText('cart');
  await page.goto('/checkout');
  const fields = { 'E-mail': 'anna@example.com', 'First name': 'Anna', 'Last name': 'Schmidt', Address: 'Hauptstraße 1', 'Postal code': '10115', City: 'Berlin' };
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByLabel('Country').selectOption('de');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('radio', { name: 'Standard' }).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('radio', { name: 'Card' }).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/checkout/card');
}

/** Enters a card in Stripe's frame and places the order. */
export async function payWith(page: Page, number: string) {
  await page.frameLocator('iframe[title="Secure payment input frame"]').getByLabel('Card number').fill(number);
  await page.getByRole('button', { name: 'Place order' }).click();
}

export async function violations(page: Page) {
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}
