// Navigation in the catalogue, its structured data, and catalogues that try to break pages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { start } from './app.js';
import { goods, medusa } from './medusa.js';

const publicUrl = 'https://api-1.stores.test';
const origin = 'https://store-1.stores.test';
const plain = (/** @type {string} */ html) =>
  html
    .replace(/<!--.*?-->/g, '')
    .replace(/<script.*?<\/script>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
const facts = (/** @type {string} */ html) =>
  [...html.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)].map(([, text]) =>
    JSON.parse(text ?? ''),
  );

describe('a catalogue', () => {
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

  test('is searched from every page, and keeps the question', async () => {
    const { text } = await app.get('/?q=%20Wool%00%0a');
    const words = plain(text);
    assert.match(words, /Results for “Wool” .*1 product .*Wool cap/);
    assert.doesNotMatch(words, /Linen shirt/);
    assert.match(text, /<input name="q" type="search"[^>]* value=" Wool/);
    assert.match(text, /<meta name="robots" content="noindex,follow"/);
    assert.match((await app.get('/products/wool-cap')).text, /<form class="search" role="search" action="\/"/);
    assert.match(plain((await app.get('/?q=')).text), /3 products/);
    const asked = api.calls.length;
    assert.equal((await app.get(`/?q=${'x'.repeat(5000)}`)).status, 200);
    const [call] = api.calls.slice(asked).filter((/** @type {any} */ { url }) => url.includes('q=x'));
    assert.ok(call.url.length < 1000, 'a long question is cut');
  });

  test('is filtered in combinations, each part of which can be taken away', async () => {
    const { text } = await app.get('/?q=a&category=clothes&collection=summer&sort=name');
    assert.match(plain(text), /1 product .*Linen shirt/);
    for (const [name, rest] of [
      ['“a”', '/?category=clothes&amp;collection=summer&amp;sort=name'],
      ['Clothes', '/?q=a&amp;collection=summer&amp;sort=name'],
      ['Summer', '/?q=a&amp;category=clothes&amp;sort=name'],
    ]) {
      assert.ok(text.includes(`href="${rest}" aria-label="Remove ${name}"`), name);
    }
    assert.ok(text.includes('href="/?q=a&amp;category=shirts&amp;collection=summer&amp;sort=name"'));
    assert.match(text, /noindex,follow/);
    assert.doesNotMatch((await app.get('/?category=clothes')).text, /noindex/);
  });

  test('is sorted by age or name', async () => {
    const titles = (/** @type {string} */ html) =>
      [...html.matchAll(/<span class="title"[^>]*>([^<]+)/g)].map(([, title]) => title);
    assert.deepEqual(titles((await app.get('/')).text), ['Linen shirt', 'Wool cap', 'Last scarf']);
    const { text } = await app.get('/?sort=name');
    assert.deepEqual(titles(text), ['Last scarf', 'Linen shirt', 'Wool cap']);
    assert.match(text, /aria-current="true">Name/);
    assert.equal((await app.get('/?sort=price')).status, 400);
  });

  test('without a result says what was searched and how to go on', async () => {
    const { status, text } = await app.get('/?q=zebra&category=hats');
    assert.equal(status, 200);
    assert.match(plain(text), /0 products .*Nothing found for “zebra” .*Search for “zebra” in all products/);
    assert.ok(text.includes('<a class="button" href="/?q=zebra">'));
    assert.match(plain((await app.get('/?category=hats&collection=summer')).text), /No product matches all of this/);
  });

  test('shows with a product where it stands, its pictures and what is like it', async () => {
    const { text } = await app.get('/products/wool-cap');
    assert.match(plain(text), /All products Hats Wool cap/);
    assert.match(plain(text), /You may also like Sold out Last scarf/);
    const shirt = (await app.get('/products/linen-shirt')).text;
    assert.match(plain(shirt), /All products Clothes Shirts Linen shirt/);
    assert.doesNotMatch(shirt, /You may also like/);
    assert.ok(shirt.includes('href="#picture-2" aria-label="Show picture 2"'));
    const [first, second] = shirt.match(/<img[^>]*>/g) ?? [];
    assert.match(first ?? '', /width="800" height="1000".*fetchpriority="high"/);
    assert.match(second ?? '', /width="800" height="1000" loading="lazy"/);
  });

  test('tells machines what it tells people', async () => {
    const { text } = await app.get('/products/linen-shirt?variant=variant_0_L');
    assert.ok(text.includes(`<meta property="og:image" content="${origin}/static/shirt.gif"`));
    assert.match(text, /<meta property="og:type" content="product"/);
    const [product, trail] = facts(text);
    assert.equal(product['@type'], 'Product');
    assert.deepEqual(product.image, [`${origin}/static/shirt.gif`, `${origin}/static/shirt%20back.gif`]);
    const offers = product.offers.map((/** @type {any} */ { price, priceCurrency, availability }) => {
      return [price, priceCurrency, availability.split('/').at(-1)];
    });
    assert.deepEqual(offers, [
      [49.9, 'EUR', 'InStock'],
      [49.9, 'EUR', 'OutOfStock'],
      [54.9, 'EUR', 'InStock'],
    ]);
    const steps = trail.itemListElement.map((/** @type {any} */ { item }) => item.slice(origin.length));
    assert.deepEqual(steps, ['/', '/?category=clothes', '/?category=shirts', '/products/linen-shirt']);
  });

  test('is listed for search engines', async () => {
    const { headers, text } = await app.get('/sitemap.xml');
    assert.equal(headers['content-type'], 'application/xml');
    const pages = [...text.matchAll(/<loc>([^<]+)<\/loc>/g)].map(([, url]) => url?.slice(origin.length));
    for (const path of ['/', '/?category=shirts', '/?collection=summer', '/products/last-scarf']) {
      assert.ok(pages.includes(path), path);
    }
    const robots = (await app.get('/robots.txt')).text;
    assert.match(robots, /^User-agent: \*\nDisallow: \/region\n/);
    assert.match(robots, /\nSitemap: https:\/\/store-1\.stores\.test\/sitemap\.xml\n/);
  });

  test('lets browsers fetch ahead products and lists, and nothing else', async () => {
    const { headers } = await app.get('/');
    assert.equal(headers['speculation-rules'], '"/speculation-rules"');
    const rules = await app.get('/speculation-rules');
    assert.equal(rules.headers['content-type'], 'application/speculationrules+json');
    const [{ where }] = JSON.parse(rules.text).prefetch;
    const paths = where.or.map((/** @type {any} */ { href_matches }) => href_matches.pathname);
    assert.deepEqual(paths, ['/products/*', '/']);
    assert.equal((await app.get('/robots.txt')).headers['speculation-rules'], undefined);
  });
});

test('a large catalogue is listed for search engines in pages, up to a bound', async (t) => {
  const samples = Array.from({ length: 5_300 }, (_, n) => ({ handle: `mug-${n}`, title: `Mug ${n}`, sizes: {} }));
  const api = await medusa({ publicUrl, samples, groups: false });
  const app = await start({ MEDUSA_BACKEND_URL: api.url });
  t.after(() => Promise.all([app.stop(), api.close()]));
  const [first, again] = [await app.get('/sitemap.xml'), await app.get('/sitemap.xml')];
  assert.equal(first.text.match(/<loc>/g)?.length, 5_001);
  assert.equal(again.text, first.text);
  assert.equal(api.calls.filter(({ url }) => url.startsWith('/store/products?')).length, 25);
});

describe('a hostile catalogue', () => {
  const word = 'Rindfleischetikettierungsüberwachung'.repeat(20);
  const samples = [
    {
      ...goods[0],
      handle: 'script',
      title: '</script><script>alert(1)</script><!--',
      description: '<!--<script>',
      categories: ['hats'],
    },
    { handle: 'endless', title: 'Endless', description: '😀'.repeat(2_500_000), sizes: { One: { eur: 1, stock: 1 } } },
    { handle: 'broken', title: 'Broken', pictures: ['none.gif'], sizes: { One: { eur: 1, stock: 1 } } },
    { handle: 'rtl', title: 'قميص من الكتان', description: 'قميص للأيام الدافئة', sizes: { أ: { eur: 1, stock: 1 } } },
    { handle: 'word', title: word, subtitle: word, sizes: { [word]: { eur: 1, stock: 1 }, B: { eur: 2, stock: 1 } } },
  ];
  /** @type {any} */ let api;
  /** @type {any} */ let app;
  before(async () => {
    api = await medusa({ publicUrl, samples: /** @type {any} */ (samples) });
    app = await start({ MEDUSA_BACKEND_URL: api.url });
  });
  after(async () => {
    await app.stop();
    await api.close();
  });

  test('cannot end the facts for machines', async () => {
    const { text } = await app.get('/products/script');
    // Two with structured data, and the page's own script.
    assert.equal(text.match(/<script/g)?.length, 3);
    assert.equal(text.match(/<\/script>/g)?.length, 3);
    const [product] = facts(text);
    assert.equal(product.name, samples[0]?.title);
    assert.equal(product.description, '<!--<script>');
  });

  test('shows of an endless description what a page can hold, with its end marked', async () => {
    const { status, text } = await app.get('/products/endless');
    assert.equal(status, 200);
    assert.ok(text.length < 80_000, `${text.length}`);
    assert.match(text, /😀…<\/p>/);
    assert.ok(!text.includes('\ufffd'), 'no half of a character');
    assert.match(text, /longer than can be shown here/);
    assert.doesNotMatch((await app.get('/products/rtl')).text, /longer than can be shown here/);
  });

  test('has words in the place of a picture that is not there', async () => {
    const { text } = await app.get('/products/broken');
    assert.match(text, /<img src="\/static\/none\.gif" alt="Broken"/);
    assert.match((await app.get('/products/rtl')).text, /role="img" aria-label="No picture"/);
  });

  test('is written in its own direction', async () => {
    const { text } = await app.get('/products/rtl');
    assert.match(text, /<h1 dir="auto">قميص من الكتان/);
    assert.match(text, /<p class="words" dir="auto">قميص/);
    assert.match((await app.get('/')).text, /<span class="title" dir="auto">قميص/);
  });

  test('has very long words cut and broken, not pages that are too wide', async () => {
    const { text } = await app.get('/products/word');
    assert.match(text, new RegExp(`<h1 dir="auto">${word.slice(0, 299)}…</h1>`));
    const [, css] = /<link href="\.\.(\/_app\/immutable\/[^"]+\.css)" rel="stylesheet">/.exec(text) ?? [];
    assert.match((await app.get(css)).text, /overflow-wrap:anywhere/);
  });
});
