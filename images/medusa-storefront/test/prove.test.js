// Proof of life: waits until a store works, and reports in one sentence why it does not.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, start, until } from './app.js';
import { KEY, medusa } from './medusa.js';

const publicUrl = 'https://api-1.stores.test';
/** An address where nothing listens. */
const nowhere = 'http://127.0.0.1:1';

/** @param {string} storefront @param {string} api @param {Record<string, string>} [env] */
const prove = (storefront, api, env) =>
  run(['prove'], {
    PROVE_STOREFRONT_URL: storefront,
    PROVE_API_URL: api,
    MEDUSA_PUBLISHABLE_KEY: KEY,
    PROVE_TIMEOUT_SECONDS: '1',
    ...env,
  });

test('a store that works is proved at once', async (t) => {
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const { ended, said } = prove(app.url, api.url);
  assert.equal(await ended, 0);
  assert.match(said.out, /^proof of life after \d+ ms\n$/);
  assert.equal(said.err, '');
});

test('a store that comes up is waited for', async (t) => {
  const api = await medusa({ publicUrl });
  api.mood = 'broken';
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const { ended } = prove(app.url, api.url, { PROVE_TIMEOUT_SECONDS: '30' });
  await until(() => app.lines().filter(({ path, status }) => path === '/' && status === 503).length >= 2);
  api.mood = 'well';
  assert.equal(await ended, 0);
});

test('what is wrong is said in one sentence, on stderr and where Kubernetes looks', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'prove-'));
  const api = await medusa({ publicUrl });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close(), rm(dir, { recursive: true })]));
  const log = join(dir, 'termination-log');
  await writeFile(log, '');

  const fails = async (/** @type {string} */ storefront, /** @type {RegExp} */ sentence) => {
    const { ended, said } = prove(storefront, api.url, { TERMINATION_LOG: log });
    assert.equal(await ended, 1);
    const [line, ...rest] = said.err.split('\n');
    assert.match(line ?? '', sentence);
    assert.match(line ?? '', /^proof of life failed after 1 s: the (storefront|API) at http:/);
    assert.deepEqual(rest, ['']);
    assert.doesNotMatch(said.err, /pk_/);
    assert.equal(await readFile(log, 'utf8'), line);
    await writeFile(log, '');
  };
  await fails(nowhere, /the storefront at http:\S+ cannot be reached: (connection refused|bad port)$/);
  await fails(`${app.url}/nothing`, /answers 404 to GET \/$/);
  await fails(`${app.url}/robots.txt?`, /answers GET \/ without HTML$/);
  api.key = 'another';
  await fails(
    app.url,
    /the API at http:\S+ answers 400 to GET \/store\/regions: it does not accept the publishable key$/,
  );
  api.key = KEY;
  api.regions = [];
  await fails(app.url, /the API at http:\S+ lists no region$/);
  api.mood = 'broken';
  await fails(app.url, /the API at http:\S+ answers 500 to GET \/store\/regions$/);
  api.mood = 'garbled';
  await fails(app.url, /the API at http:\S+ gives an answer that is not JSON$/);
  api.mood = 'hang';
  await fails(app.url, /the API at http:\S+ does not answer in time$/);
  api.release();
  await api.close();
  await fails(app.url, /the API at http:\S+ cannot be reached: connection refused$/);
});

test('a proof that cannot begin says what it lacks', async () => {
  const { ended, said } = run(['prove'], { PROVE_API_URL: nowhere });
  assert.equal(await ended, 1);
  assert.equal(said.err, 'proof of life cannot begin: PROVE_STOREFRONT_URL is not set\n');
});

test('a proof ends when it is told to', async (t) => {
  const api = await medusa({ publicUrl });
  api.mood = 'hang';
  t.after(() => api.close());
  const { child, ended } = prove(api.url, api.url, { PROVE_TIMEOUT_SECONDS: '60' });
  await until(() => api.held() > 0);
  child.kill('SIGTERM');
  assert.equal(await ended, 143);
});
