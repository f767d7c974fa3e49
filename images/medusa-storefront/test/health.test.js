// Probes are right; the reason of a failing API is reported; a stop is fast and loses no request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, start, until } from './app.js';
import { EUR, KEY, medusa } from './medusa.js';

const publicUrl = 'https://api-1.stores.test';

test('readiness follows the API, liveness does not', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const ready = async () => {
    const began = Date.now();
    const { status, text } = await app.get('/health/ready');
    assert.ok(Date.now() - began < 4500, 'a probe is answered in time');
    return { status, reason: JSON.parse(text).reason };
  };
  const turns = async (/** @type {RegExp} */ reason) => {
    const answer = await until(async () => {
      const now = await ready();
      return now.status === 503 && reason.test(now.reason) && now;
    });
    assert.doesNotMatch(answer.reason, /pk_/);
    assert.equal((await app.get('/health/live')).status, 200);
  };
  const recovers = () => until(async () => (await ready()).status === 200);

  await recovers();
  api.regions = [];
  await turns(/^the API lists no region$/);
  api.regions = [EUR];
  await recovers();
  api.key = 'another';
  await turns(/answers 400: A valid publishable key is required/);
  api.key = KEY;
  await recovers();
  api.mood = 'hang';
  await turns(/does not answer in time/);
  api.release();
  await recovers();
  api.mood = 'broken';
  await turns(/answers 500/);
  api.mood = 'garbled';
  await turns(/not JSON/);
  api.mood = 'well';
  await recovers();
  await api.close();
  await turns(/cannot be reached: connection refused/);
  await api.listen(api.port);
  await recovers();
  const probes = app.lines().filter((line) => line.path?.startsWith('/health/'));
  assert.ok(probes.length > 0 && probes.every(({ status }) => status === 503), 'only failed probes are logged');
});

test('probes ask the API rarely, however often they come', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  await Promise.all(Array.from({ length: 200 }, () => app.get('/health/ready')));
  assert.ok(api.calls.length <= 3, `${api.calls.length} calls`);
});

test('without its API the shop says so, within its frame, and comes back by itself', async (t) => {
  const api = await medusa({ publicUrl });
  api.mood = 'broken';
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  for (const path of ['/', '/products/linen-shirt']) {
    const { status, text, headers } = await app.get(path);
    assert.equal(status, 503);
    assert.match(text, /taking a short break/);
    assert.match(text, /Harbour &amp; Sons/);
    assert.equal(headers['retry-after'], '5');
    assert.doesNotMatch(text, /127\.0\.0\.1|unknown error/i);
  }
  assert.ok(app.lines().some(({ level, message }) => level === 'error' && /answers 500/.test(message)));
  api.mood = 'well';
  assert.equal((await app.get('/products/linen-shirt')).status, 200);
});

test('an API that hangs is given up', async (t) => {
  const api = await medusa({ publicUrl });
  api.mood = 'hang';
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const began = Date.now();
  assert.equal((await app.get('/')).status, 503);
  assert.ok(Date.now() - began < 7000);
});

test('a stop lets requests in flight finish and takes no new ones', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => api.close());
  api.mood = 'hang';
  const visit = app.get('/products/linen-shirt');
  await until(() => api.held() > 0);
  const began = Date.now();
  app.child.kill('SIGTERM');
  await until(() =>
    app.get('/health/live').then(
      () => false,
      () => true,
    ),
  );
  api.release();
  assert.equal((await visit).status, 200);
  assert.equal(await app.ended, 0);
  assert.ok(Date.now() - began < 4000);
});

test('a stop does not wait for what never ends', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url, STOP_SECONDS: '1' });
  t.after(() => api.close());
  api.mood = 'hang';
  const visit = app.get('/static/shirt.gif').catch(() => 'cut off');
  await until(() => api.held() > 0);
  const began = Date.now();
  assert.equal(await app.stop(), 0);
  assert.ok(Date.now() - began < 5000);
  assert.equal(await visit, 'cut off');
});

test('a wrong configuration is one sentence and exit 1; an unknown word is usage and exit 2', async () => {
  const bare = run(['start'], { MEDUSA_BACKEND_URL: 'ftp://x', PORT: '0' });
  assert.equal(await bare.ended, 1);
  assert.match(
    bare.said.err,
    /^the storefront cannot start: MEDUSA_BACKEND_URL must be an http:\/\/ or https:\/\/ address, .*STORE_NAME must be set\n$/,
  );
  const odd = run(['dance'], {});
  assert.equal(await odd.ended, 2);
  assert.match(odd.said.err, /usage: entrypoint\.js \[start\|prove\|smoke\]/);
});
