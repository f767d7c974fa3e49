// The report of a smoke order in a shop that works, and in one that fails.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run, start } from './app.js';
import { goods, KEY, medusa } from './medusa.js';

const folder = mkdtempSync(join(tmpdir(), 'smoke-'));
let runs = 0;
/** @type {any} */ let api;
/** @type {any} */ let app;
before(async () => {
  api = await medusa({ publicUrl: 'https://api-1.stores.test' });
  app = await start({ MEDUSA_BACKEND_URL: api.url });
});
after(async () => {
  await app.stop();
  await api.close();
  rmSync(folder, { recursive: true });
});

async function smoke(env = {}) {
  const file = join(folder, `termination-log-${++runs}`);
  writeFileSync(file, '');
  const { ended } = run(['smoke'], {
    SMOKE_STOREFRONT_URL: app.url,
    SMOKE_API_URL: api.url,
    STOREFRONT_URL: 'https://store-1.stores.test',
    MEDUSA_PUBLISHABLE_KEY: KEY,
    SMOKE_TOKEN: 'the token',
    TERMINATION_LOG: file,
    ...env,
  });
  const code = await ended;
  const words = readFileSync(file, 'utf8');
  assert.ok(words.length < 4096, 'more than Kubernetes keeps');
  return { code, words, report: code === 2 ? undefined : words.startsWith('{') ? JSON.parse(words) : undefined };
}

const STEPS = [
  'open the shop',
  'open a product',
  'add to cart',
  'give an address',
  'choose shipping',
  'choose payment',
  'place the order',
  'cancel the order',
];

test('an order is placed and taken back', async () => {
  const { code, report } = await smoke();
  assert.deepEqual(
    report.steps.map((/** @type {any} */ { name, error }) => error ?? name),
    STEPS,
  );
  assert.equal(code, 0);
  const order = api.sales.orders.at(-1);
  assert.equal(report.order, order.id);
  assert.equal(order.status, 'canceled');
  assert.equal(order.email, 'smoke-test@urumi.invalid');
  for (const { milliseconds } of report.steps) assert.ok(Number.isInteger(milliseconds));
});

for (const [step, of] of /** @type {const} */ ([
  ['add to cart', /POST \/store\/carts$/],
  ['give an address', /POST \/store\/carts\/cart_\w+$/],
  ['choose shipping', /shipping-methods/],
  ['choose payment', /payment-sessions/],
  ['place the order', /complete/],
])) {
  test(`the step that fails is named: ${step}`, async () => {
    api.sales.trouble = { of, what: 'broken' };
    const { code, report } = await smoke();
    api.sales.trouble = undefined;
    assert.equal(code, 1);
    const last = report.steps.at(-1);
    assert.equal(last.name, step);
    assert.match(last.error, /^the shop answers 503 at \/\S+: /);
    assert.equal(report.steps.length, STEPS.indexOf(step) + 1);
  });
}

test('a token that is not the store’s is told, and the order named', async () => {
  const { code, report } = await smoke({ SMOKE_TOKEN: 'another' });
  assert.equal(code, 1);
  assert.deepEqual(report.steps.at(-1).error, 'the API answers 401: Unauthorized');
  assert.equal(report.order, api.sales.orders.at(-1).id);
});

test('a shop that is away is told', async () => {
  const { code, report } = await smoke({ SMOKE_STOREFRONT_URL: 'http://127.0.0.1:2' });
  assert.equal(code, 1);
  assert.equal(report.steps.length, 1);
  assert.equal(report.steps[0].error, 'cannot be reached: connection refused');
});

test('a shop in which everything is sold out is told', async () => {
  const empty = await medusa({ publicUrl: 'https://api-1.stores.test', samples: goods.slice(2) });
  const sold = await start({ MEDUSA_BACKEND_URL: empty.url });
  const { code, report } = await smoke({ SMOKE_STOREFRONT_URL: sold.url });
  assert.equal(code, 1);
  assert.equal(report.steps.at(-1).error, 'everything on the first page is sold out');
  await sold.stop();
  await empty.close();
});

test('a setting that is missing is named', async () => {
  const { code, words } = await smoke({ SMOKE_API_URL: '' });
  assert.equal(code, 1);
  assert.equal(words, 'a smoke order cannot begin: SMOKE_API_URL is not set');
});
