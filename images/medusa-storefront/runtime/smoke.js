// A smoke order: buys a product like a customer without JavaScript, then cancels the order. Reports each step and its
// duration as JSON in the termination log. Stops after the first failed step.
import { end, lastWords } from './termination.js';
import { trouble } from './trouble.js';

/** The domain never exists (RFC 2606). The API cancels only orders of this address. */
const EMAIL = 'smoke-test@urumi.invalid';
/** The timeout of a request; longer than the storefront's timeout for the API. */
const PATIENCE = 30_000;

const shop = required('SMOKE_STOREFRONT_URL');
const api = required('SMOKE_API_URL');
const origin = required('STOREFRONT_URL');
const key = required('MEDUSA_PUBLISHABLE_KEY');

for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) process.once(signal, () => process.exit(143));

/** @param {string} name */
function required(name) {
  const value = process.env[name];
  if (!value) return end(`a smoke order cannot begin: ${name} is not set`, 1);
  return value.replace(/\/+$/, '');
}

/** An error whose message is the end of a sentence about the step. */
class Wrong extends Error {}

/** @type {Map<string, string>} */
const cookies = new Map();
let page = '';
let path = '/';

/** Opens a page, or sends a form to it, and follows redirects. @param {string} to @param {Record<string, string>} [form] */
async function visit(to, form) {
  for (let hops = 0; hops < 5; hops++) {
    const response = await fetch(shop + to, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
      headers: {
        accept: 'text/html',
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form && { origin: new URL(origin).origin, 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form && { body: new URLSearchParams(form).toString() }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name && value !== undefined) cookies.set(name, value);
    }
    page = await response.text();
    path = to;
    const next = response.headers.get('location');
    if (response.status === 303 && next) {
      to = new URL(next, origin + to).href.slice(new URL(origin).origin.length);
      form = undefined;
      continue;
    }
    const said = /role="alert">\s*(?:<!--.*?-->)*\s*<p>(.*?)<\/p>/s.exec(page)?.[1]?.replace(/<!--.*?-->/g, '');
    if (response.status !== 200)
      throw new Wrong(`the shop answers ${response.status} at ${bare(to)}${said ? `: ${said}` : ''}`);
    return;
  }
  throw new Wrong(`the shop redirects in a loop at ${bare(to)}`);
}

/** @param {string} address */
const bare = (address) => address.split('?', 1)[0];

/** The value of a hidden or selected field of the page. @param {string} name */
function field(name) {
  const tags = [...page.matchAll(/<input[^>]*>/g)].map(([tag]) => tag).filter((tag) => tag.includes(`name="${name}"`));
  const tag = tags.find((one) => / checked/.test(one)) ?? tags[0];
  const value = tag && /\bvalue="([^"]*)"/.exec(tag)?.[1];
  if (!value) throw new Wrong(`the page ${bare(path)} has no field ${name}`);
  return value.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

/** @param {string} expected */
function arrived(expected) {
  if (!bare(path)?.startsWith(expected)) throw new Wrong(`the shop redirects to ${bare(path)} instead of ${expected}`);
}

let order = '';
/** @type {[string, () => Promise<void>][]} */
const steps = [
  ['open the shop', () => visit('/')],
  [
    'open a product',
    async () => {
      // Products that are sold out have a badge; take the first without one.
      const cards = page.match(/<a class="card".*?<\/a>/gs) ?? [];
      const card = cards.find((one) => !one.includes('class="badge"'));
      const href = card && /href="([^"]+)"/.exec(card)?.[1];
      if (!href)
        throw new Wrong(cards.length ? 'everything on the first page is sold out' : 'the shop shows no product');
      await visit(href.replaceAll('&amp;', '&'));
    },
  ],
  [
    'add to cart',
    () => visit('/cart?/add', { variant: field('variant'), once: field('once'), quantity: '1', to: '/cart' }),
  ],
  [
    'give an address',
    async () => {
      await visit('/checkout');
      arrived('/checkout');
      const country = /<option value="([a-z]{2})"/.exec(page)?.[1];
      if (!country) throw new Wrong('the shop delivers to no country');
      await visit('/checkout', {
        email: EMAIL,
        first_name: 'Smoke',
        last_name: 'Test',
        address_1: 'Nowhere 1',
        postal_code: '00000',
        city: 'Nowhere',
        country_code: country,
      });
      arrived('/checkout/shipping');
    },
  ],
  [
    'choose shipping',
    async () => {
      await visit('/checkout/shipping', { option: field('option') });
      arrived('/checkout/payment');
    },
  ],
  [
    'choose payment',
    async () => {
      // The payment method that charges nothing.
      if (!page.includes('value="pp_system_default"'))
        throw new Wrong('the shop has no way to pay that charges nobody');
      await visit('/checkout/payment', { provider: 'pp_system_default' });
      arrived('/checkout/review');
    },
  ],
  [
    'place the order',
    async () => {
      await visit('/checkout/review', { cart: field('cart'), total: field('total') });
      order = /^\/orders\/(order_\w+)$/.exec(bare(path) ?? '')?.[1] ?? '';
      if (!order) throw new Wrong(`the shop redirects to ${bare(path)} instead of a confirmation`);
    },
  ],
  [
    'cancel the order',
    async () => {
      const response = await fetch(`${api}/smoke/orders/${order}/cancel`, {
        method: 'POST',
        headers: { 'x-publishable-api-key': key, 'x-smoke-token': process.env.SMOKE_TOKEN ?? '' },
        signal: AbortSignal.timeout(PATIENCE),
      });
      const answer = await response.json().catch(() => ({}));
      if (response.status !== 200)
        throw new Wrong(`the API answers ${response.status}: ${answer.message ?? 'no reason'}`);
      if (answer.order?.status !== 'canceled') throw new Wrong(`the order is ${answer.order?.status}`);
    },
  ],
];

/** @type {{ name: string, milliseconds: number, error?: string }[]} */
const report = [];
for (const [name, act] of steps) {
  const begun = performance.now();
  /** @type {string | undefined} */
  let error;
  try {
    await act();
  } catch (caught) {
    error = caught instanceof Wrong ? caught.message : trouble(caught);
  }
  report.push({
    name,
    milliseconds: Math.round(performance.now() - begun),
    ...(error && { error: error.slice(0, 500) }),
  });
  if (error) break;
}
const text = JSON.stringify({ steps: report, ...(order && { order }) });
console.log(text);
lastWords(text);
process.exit(report.length === steps.length && !report.at(-1)?.error ? 0 : 1);
