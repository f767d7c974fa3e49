// What visitors see: lists, prices, products, errors, regions. Texts of the catalogue are never interpreted as markup.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { start } from './app.js';
import { EUR, goods, medusa, USD } from './medusa.js';

const publicUrl = 'https://api-1.stores.test';
const plain = (/** @type {string} */ html) =>
  html
    .replace(/<!--.*?-->/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('a store', () => {
  /** @type {any} */ let api;
  /** @type {any} */ let app;
  before(async () => {
    api = await medusa({ publicUrl });
    app = await start({ MEDUSA_BACKEND_URL: api.url });
  });
  after(async () => {
    await app.stop();
    await api.close();
  });

  test('lists its products with prices in the currency of its first region', async () => {
    const { status, headers, text } = await app.get('/');
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/html/);
    const words = plain(text);
    assert.match(words, /Harbour &amp; Sons/);
    assert.match(words, /3 products/);
    assert.match(words, /Linen shirt Washed, with horn buttons From €49\.90/);
    assert.match(words, /Wool cap Was €26\.00 Now €19\.50/);
    assert.match(words, /Sold out Last scarf €30\.00/);
    assert.ok(text.includes('href="/products/linen-shirt"'));
    assert.ok(text.includes('src="/static/shirt.gif"'));
    assert.ok(!text.includes(publicUrl), 'no picture is loaded from another origin');
    assert.ok(!text.includes(api.url), 'the inner address of the API is not shown');
    assert.ok(text.includes('<link rel="canonical" href="https://store-1.stores.test/"'));
    assert.ok(text.includes('<html lang="en">'));
  });

  test('sends one small script, one stylesheet, and rules that allow nothing but its own origin', async () => {
    const { headers, text } = await app.get('/');
    const policy = headers['content-security-policy'];
    assert.match(policy, /default-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'strict-origin-when-cross-origin');
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    assert.doesNotMatch(
      text,
      /<script(?! type="application\/ld\+json">| src="\/forms\.js" defer>)|<style| style=| on[a-z]+=/,
    );
    const [, css] = /<link href="\.(\/_app\/immutable\/[^"]+\.css)" rel="stylesheet">/.exec(text) ?? [];
    const sheet = await app.get(css);
    assert.equal(sheet.status, 200);
    assert.match(sheet.headers['cache-control'], /immutable/);
    assert.equal(sheet.headers['x-content-type-options'], 'nosniff');
  });

  test('tells a browser that a page has not changed without touching the policy it kept', async () => {
    const { headers } = await app.get('/');
    assert.equal(headers['cache-control'], 'private, no-cache');
    const again = await app.get('/', { headers: { 'if-none-match': headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.headers['content-security-policy'], undefined);
  });

  test('filters by category with those below it, and by collection', async () => {
    const clothes = plain((await app.get('/?category=clothes')).text);
    assert.match(clothes, /1 product /);
    assert.match(clothes, /Linen shirt/);
    assert.doesNotMatch(clothes, /Wool cap/);
    const summer = plain((await app.get('/?collection=summer')).text);
    assert.match(summer, /1 product /);
    const hats = await app.get('/?category=hats');
    assert.match(plain(hats.text), /2 products/);
    assert.ok(hats.text.includes('href="https://store-1.stores.test/?category=hats"'));
  });

  test('shows a product with the variant asked for', async () => {
    const shown = await app.get('/products/linen-shirt');
    assert.equal(shown.status, 200);
    const words = plain(shown.text);
    assert.match(words, /Linen shirt Washed, with horn buttons €49\.90 Size S/);
    assert.match(words, /Only 3 left/);
    assert.match(plain((await app.get('/products/wool-cap')).text), /In stock/);
    assert.match(words, /M , Sold out/);
    assert.match(words, /Woven in Portugal\./);
    assert.match(words, /Material Linen/);
    assert.ok(shown.text.includes('<title>Linen shirt – Harbour &amp; Sons</title>'));
    assert.ok(shown.text.includes('<link rel="canonical" href="https://store-1.stores.test/products/linen-shirt"'));
    assert.ok(shown.text.includes('alt="Linen shirt, picture 2 of 2"'));
    assert.ok(shown.text.includes('src="/static/shirt%20back.gif"'));
    const large = plain((await app.get('/products/linen-shirt?variant=variant_0_L')).text);
    assert.match(large, /€54\.90 Size L/);
    const medium = plain((await app.get('/products/linen-shirt?variant=variant_0_M')).text);
    assert.match(medium, /Size M .* Sold out Description/);
    assert.equal((await app.get('/products/linen-shirt?variant=nonsense')).status, 200);
  });

  test('answers what it does not have with 404 and what it does not understand with 400', async () => {
    const missing = [
      '/products/nothing',
      '/products/Linen-Shirt',
      '/products/..%2f..%2fadmin',
      '/products/%00',
      `/products/${'a'.repeat(5000)}`,
      '/products/',
      '/?category=nothing',
      '/?category=',
      '/?collection=nothing',
      '/?page=2',
      '/?page=99999',
      '/nothing',
      '/_app/nothing.js',
    ];
    for (const path of missing) {
      const { status, text, headers } = await app.get(path, { headers: { accept: 'text/html' } });
      assert.equal(status, 404, path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      // Below /_app/ are only files, so the error is plain text instead of a page.
      if (path.startsWith('/_app/')) continue;
      assert.match(text, /This page does not exist/, path);
      assert.match(headers['content-security-policy'], /default-src 'self'/, path);
    }
    for (const path of [
      '/?page=0',
      '/?page=-1',
      '/?page=x',
      '/?page=1e3',
      '/?page=',
      '/?page=100000',
      '/products/%zz',
      '/%ff',
    ]) {
      assert.equal((await app.get(path)).status, 400, path);
    }
    const headers = { origin: 'https://store-1.stores.test' };
    assert.equal((await app.get('/', { method: 'DELETE', headers })).status, 405);
    assert.equal((await app.get('/', { method: 'POST', headers })).status, 405);
    assert.ok(!api.calls.some((/** @type {any} */ { url }) => url.includes('admin')));
  });

  test('takes its own address from the configuration, not from the request', async () => {
    const headers = { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'gopher' };
    const { status, text } = await app.get('/products/wool-cap', { headers });
    assert.equal(status, 200);
    assert.doesNotMatch(text, /evil|gopher/);
  });

  test('changes the region by a form from its own pages only, and returns to its own pages only', async () => {
    const form = (/** @type {Record<string, string>} */ fields, origin = 'https://store-1.stores.test') =>
      app.get('/region', {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: String(new URLSearchParams(fields)),
      });
    const changed = await form({ region: USD.id, to: '/products/wool-cap?variant=variant_1_Onesize' });
    assert.equal(changed.status, 303);
    assert.equal(changed.headers.location, '/products/wool-cap?variant=variant_1_Onesize');
    const [cookie] = changed.headers['set-cookie'];
    assert.match(cookie, /^region=reg_02US;.*HttpOnly; Secure; SameSite=Lax/i);
    const { text } = await app.get('/', { headers: { cookie: cookie.split(';')[0] } });
    assert.match(plain(text), /From \$55\.00/);
    assert.match(plain((await app.get('/', { headers: { cookie: 'region=nonsense' } })).text), /€49\.90/);

    assert.equal((await form({ region: USD.id, to: '/' }, 'https://evil.test')).status, 403);
    assert.equal((await form({ region: 'nonsense', to: '/' })).status, 400);
    for (const to of [
      'https://evil.test/',
      '//evil.test',
      '/\\evil.test',
      '\\\\evil.test',
      'javascript:alert(1)',
      '/x/..//evil.test',
    ]) {
      const { location } = (await form({ region: USD.id, to })).headers;
      assert.equal(new URL(location, 'https://store-1.stores.test').origin, 'https://store-1.stores.test', to);
    }
    assert.equal((await form({ region: 'x'.repeat(100_000) })).status, 413);
  });

  test('writes one JSON line a request, without what must stay secret', async () => {
    await app.get('/products/wool-cap?variant=hidden-in-query', { headers: { cookie: 'region=hidden-in-cookie' } });
    const line = app.lines().findLast((/** @type {any} */ { path }) => path === '/products/wool-cap');
    assert.deepEqual(Object.keys(line), ['time', 'level', 'method', 'path', 'status', 'ms']);
    assert.doesNotMatch(app.said.out, /hidden|pk_/);
    assert.equal(app.said.err, '');
  });
});

test('a catalogue of more than a page is shown page by page', async (t) => {
  const samples = Array.from({ length: 25 }, (_, n) => ({
    handle: `mug-${n}`,
    title: `Mug ${n}`,
    sizes: { One: { eur: n, stock: 1 } },
  }));
  const api = await medusa({ publicUrl, samples, groups: false });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const first = (await app.get('/')).text;
  assert.match(plain(first), /25 products .*Mug 11 .*Page 1 of 3 Next/);
  assert.doesNotMatch(plain(first), /Mug 12|Previous/);
  const last = (await app.get('/?page=3')).text;
  assert.match(plain(last), /Mug 24 .*Previous Page 3 of 3/);
  assert.doesNotMatch(plain(last), /Mug 23|Next/);
  assert.ok(last.includes('href="https://store-1.stores.test/?page=3"'));
  assert.equal((await app.get('/?page=4')).status, 404);
});

test('nothing from the catalogue is taken for markup', async (t) => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;
  const samples = [
    {
      ...goods[0],
      handle: 'evil',
      title: evil,
      subtitle: evil,
      description: evil,
      material: evil,
      pictures: [evil, '"onload="alert(1)'],
    },
  ];
  const api = await medusa({ publicUrl, samples: /** @type {any} */ (samples) });
  api.regions = [{ ...EUR, name: evil }, USD];
  const app = await start({ MEDUSA_BACKEND_URL: api.url, STORE_NAME: evil });
  t.after(() => Promise.all([app.stop(), api.close()]));
  for (const path of ['/', '/products/evil', `/?category=${encodeURIComponent(evil)}`]) {
    const { text } = await app.get(path);
    assert.match(text, /&lt;script>|&lt;script&gt;/, path);
    assert.doesNotMatch(text, /<script(?! type="application\/ld\+json">| src="\/forms\.js" defer>)|<img src=x/, path);
    // Outside of quoted values, every attribute of a tag is one of ours.
    for (const [tag] of text.matchAll(/<[a-z](?:"[^"]*"|[^">])*>/g))
      assert.doesNotMatch(tag.replace(/"[^"]*"/g, ''), /onerror|onload/, tag);
  }
});

test('an empty store says so', async (t) => {
  const api = await medusa({ publicUrl, samples: [], groups: false });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const { status, text } = await app.get('/');
  assert.equal(status, 200);
  assert.match(plain(text), /0 products .*Nothing here yet/);
});

test('the same build is another shop with another configuration', async (t) => {
  const [one, two] = await Promise.all([
    medusa({ publicUrl: 'https://api-1.stores.test' }),
    medusa({
      publicUrl: 'http://api-2.localtest.me:8080',
      samples: [{ ...goods[1], sizes: goods[1]?.sizes ?? {}, title: 'Tea pot', handle: 'tea-pot' }],
      regions: [USD],
    }),
  ]);
  const second = {
    MEDUSA_PUBLIC_URL: 'http://api-2.localtest.me:8080',
    STOREFRONT_URL: 'http://store-2.localtest.me:8080',
    STORE_NAME: 'Tea House',
  };
  const apps = await Promise.all([
    start({ MEDUSA_BACKEND_URL: one.url }),
    start({ MEDUSA_BACKEND_URL: two.url, ...second }),
  ]);
  t.after(() => Promise.all([...apps.map((app) => app.stop()), one.close(), two.close()]));
  const [first, other] = await Promise.all(apps.map(async (app) => (await app.get('/')).text));
  assert.match(plain(first), /Harbour &amp; Sons.*€49\.90/);
  assert.doesNotMatch(first, /Tea/);
  assert.match(plain(other), /Tea House.*Tea pot Was \$26\.00 Now \$22\.00/);
  assert.ok(other.includes('src="/static/cap.gif"'));
  assert.ok(other.includes('<link rel="canonical" href="http://store-2.localtest.me:8080/"'));
  assert.doesNotMatch(other, /Harbour|€/);
  const plainHttp = await apps[1]?.get('/');
  assert.equal(plainHttp?.headers['strict-transport-security'], undefined);
  const changed = await apps[1]?.get('/region', {
    method: 'POST',
    headers: { origin: 'http://store-2.localtest.me:8080', 'content-type': 'application/x-www-form-urlencoded' },
    body: `region=${USD.id}&to=/`,
  });
  assert.equal(changed.status, 303);
  assert.doesNotMatch(changed.headers['set-cookie'][0], /Secure/i, 'a browser would refuse it over plain HTTP');
});
