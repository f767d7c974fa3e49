// Pictures through the storefront: only pictures, and only from the API's /static/.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { start } from './app.js';
import { medusa, PIXEL } from './medusa.js';

/** @type {any} */ let api;
/** @type {any} */ let app;
before(async () => {
  api = await medusa({ publicUrl: 'https://api-1.stores.test' });
  app = await start({ MEDUSA_BACKEND_URL: api.url });
});
after(async () => {
  await app.stop();
  await api.close();
});

test('a picture arrives as the API has it, may be kept, and is asked for by its tag afterwards', async () => {
  const { status, headers, bytes } = await app.get('/static/shirt%20back.gif');
  assert.equal(status, 200);
  assert.deepEqual(bytes, PIXEL);
  assert.equal(headers['content-type'], 'image/gif');
  assert.equal(headers['content-length'], String(PIXEL.length));
  assert.match(headers['cache-control'], /^public, max-age=/);
  const again = await app.get('/static/shirt%20back.gif', { headers: { 'if-none-match': headers.etag } });
  assert.equal(again.status, 304);
  const head = await app.get('/static/shirt.gif', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], String(PIXEL.length));
  assert.equal(head.bytes.length, 0);
  assert.equal(api.calls.at(-1).method, 'HEAD');
});

test('a drawing opened by itself may not run scripts', async () => {
  const { headers } = await app.get('/static/drawing.svg');
  assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox");
});

test('nothing but GET and HEAD is handed on', async () => {
  const asked = api.calls.length;
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const { status } = await app.get('/static/shirt.gif', { method, headers: { 'content-type': 'application/json' } });
    assert.equal(status, 405, method);
  }
  assert.equal(api.calls.length, asked);
});

test('no other path of the API and no file meant for the API itself can be reached', async () => {
  const asked = api.calls.length;
  const paths = [
    '/static/..%2fstore%2fregions',
    '/static/..%2Fadmin',
    '/static/../admin',
    '/static/%2e%2e/admin',
    '/static/%2e%2e%2fadmin',
    '/static/x/..%2f..%2fadmin',
    '/static/..%5cadmin',
    '/static/..\\admin',
    '/static/%252e%252e%252fadmin',
    '/static//admin',
    '/static/%2fadmin',
    '/static',
    '/static/.env',
    '/static/a/.git/config',
    '/static/x%00.gif',
    '/static/x%0d%0aHost:%20evil',
    '/static/private-orders.gif',
    '/static/http:%2f%2fevil.test/x',
  ];
  for (const path of paths) assert.equal((await app.get(path)).status, 404, path);
  const beyond = api.calls.slice(asked).filter((/** @type {any} */ { url }) => !url.startsWith('/store/'));
  assert.deepEqual(beyond, []);
});

test('what is not a picture stays where it is', async () => {
  for (const path of ['/static/page.html', '/static/nothing.gif']) {
    const { status, text } = await app.get(path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(text, /alert|Cannot GET/, path);
  }
});

test('a broken API is 502, one that is away 503', async () => {
  api.mood = 'broken';
  assert.equal((await app.get('/static/shirt.gif')).status, 502);
  api.mood = 'well';
  await api.close();
  assert.equal((await app.get('/static/shirt.gif')).status, 503);
  await api.listen(api.port);
  assert.equal((await app.get('/static/shirt.gif')).status, 200);
});
