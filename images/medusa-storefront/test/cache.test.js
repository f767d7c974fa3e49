// The cache of the catalogue: a burst causes one request; entries and concurrent requests are limited.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, until } from './app.js';
import { medusa } from './medusa.js';

const publicUrl = 'https://api-1.stores.test';

test('a burst of visitors is one question to the API', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 300 }, () => app.get('/products/linen-shirt')));
  assert.ok(answers.every(({ status }) => status === 200));
  const products = api.calls.filter(({ url }) => url.startsWith('/store/products?'));
  // One for each fresh period of 3 s that a slow machine needs, and the first.
  const allowed = 1 + Math.ceil((performance.now() - began) / 3_000);
  assert.ok(products.length <= allowed, `${products.length} questions for 300 visitors`);
});

test('memory outlives a short illness of the API and forgets what was used longest ago', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  // More than the cache keeps; a few at a time, because concurrent requests are limited too.
  for (let n = 0; n < 600; n += 20) {
    const page = Array.from({ length: 20 }, (_, i) => app.get(`/products/thing-${n + i}`));
    for (const { status } of await Promise.all(page)) assert.equal(status, 200);
  }
  api.mood = 'broken';
  assert.equal((await app.get('/products/thing-599')).status, 200);
  assert.equal((await app.get('/products/thing-0')).status, 503);
});

test('questions at the same time are bounded; visitors beyond that are told at once', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  assert.equal((await app.get('/')).status, 200);
  api.mood = 'hang';
  const visits = Array.from({ length: 150 }, (_, n) => app.get(`/products/thing-${n}`));
  const refused = await Promise.any(visits.map(async (visit) => (await visit).status === 503 || Promise.reject()));
  assert.ok(refused);
  await until(() => api.held() >= 60);
  api.release();
  const statuses = (await Promise.all(visits)).map(({ status }) => status);
  assert.ok(api.most() <= 70, `${api.most()} at the same time`);
  assert.ok(statuses.every((status) => status === 200 || status === 503));
  assert.ok(statuses.filter((status) => status === 200).length >= 55);
});
