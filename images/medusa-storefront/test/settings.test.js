// The settings: what they change on the pages, changes while the shop runs, and the errors of wrong files.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run, start, until } from './app.js';
import { anna, customer } from './customer.js';
import { medusa } from './medusa.js';

/** @type {string} */ let dir;
/** @type {any} */ let api;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'settings-'));
  api = await medusa({ publicUrl: 'https://api-1.stores.test' });
});
after(() => Promise.all([api.close(), rm(dir, { recursive: true })]));

const written = (/** @type {unknown} */ content) => (typeof content === 'string' ? content : JSON.stringify(content));

/** @param {unknown} content */
async function file(content) {
  const path = join(dir, 'settings.json');
  await writeFile(path, written(content));
  return path;
}

/** @param {import('node:test').TestContext} t @param {unknown} content */
async function shop(t, content) {
  const app = await start({ MEDUSA_BACKEND_URL: api.url, STOREFRONT_SETTINGS: await file(content) });
  t.after(() => app.stop());
  return app;
}

test('a wrong file stops the start with one sentence that says what is wrong', async () => {
  const wrong = /** @type {[unknown, RegExp][]} */ ([
    ['{', /which is not JSON$/],
    ['[]', /where the content must be an object$/],
    [{ colour: 1 }, /where colour is not known$/],
    [{ theme: { colors: { accent: 'red' } } }, /where theme\.colors\.accent must be a colour like #1f2a37$/],
    [{ theme: { colors: { link: '#000000' } } }, /where theme\.colors\.link is not known$/],
    [{ theme: { logo: 'https://evil.test/logo.png' } }, /where theme\.logo must be a data:image/],
    [{ theme: { logo: 'data:text/html;base64,AAAA' } }, /where theme\.logo must be a data:image/],
    [
      { theme: { logo: `data:image/png;base64,${Buffer.alloc(32 * 1024 + 1).toString('base64')}` } },
      /where theme\.logo must be a picture of at most 32768 bytes \(32 KiB\), and has 32769$/,
    ],
    [{ name: 1 }, /where name must be a text$/],
    [{ name: ' ' }, /where name must not be empty$/],
    [{ locale: 'xx' }, /where locale must be one of en, de$/],
    [{ currency: 'euro' }, /where currency must be a currency code like eur$/],
    [{ footerLinks: [{ label: 'x', href: 'javascript:alert(1)' }] }, /where footerLinks\.0\.href must be an https/],
    [{ footerLinks: [{ label: 'x', href: '//evil.test' }] }, /where footerLinks\.0\.href must be an https/],
    [{ footerLinks: [{ label: ' ', href: '/x' }] }, /where footerLinks\.0\.label must not be empty$/],
    [{ robots: 'none' }, /where robots must be one of index, noindex$/],
    [{ manualPayment: 'gold' }, /where manualPayment must be one of test, invoice, cash$/],
  ]);
  const begin = async (/** @type {Record<string, string>} */ env) => {
    const { ended, said } = run(['start'], {
      MEDUSA_BACKEND_URL: api.url,
      MEDUSA_PUBLIC_URL: api.url,
      STOREFRONT_URL: 'https://store-1.stores.test',
      MEDUSA_PUBLISHABLE_KEY: 'pk_x',
      STORE_NAME: 'Shop',
      PORT: '0',
      ...env,
    });
    assert.equal(await ended, 1);
    assert.match(said.err, /^the storefront cannot start: [^\n]+\n$/);
    return said.err.trim();
  };
  for (const [content, sentence] of wrong) {
    const err = await begin({ STOREFRONT_SETTINGS: await file(content) });
    assert.match(err, sentence);
    assert.match(err, /: STOREFRONT_SETTINGS names \S+settings\.json, w/);
  }
  assert.match(await begin({ STOREFRONT_SETTINGS: join(dir, 'none.json') }), /which cannot be read \(ENOENT\)$/);
  const nameless = await begin({ STOREFRONT_SETTINGS: await file({}), STORE_NAME: '' });
  assert.match(nameless, /where name must be set, because STORE_NAME is not$/);
  const secret = await begin({ STRIPE_PUBLISHABLE_KEY: 'sk_live_secret' });
  assert.match(secret, /STRIPE_PUBLISHABLE_KEY must begin with pk_test_ or pk_live_$/);
  assert.doesNotMatch(secret, /sk_live/);
});

/** A folder with settings.json, mounted and changed as kubelet does it with a ConfigMap. */
async function volume(/** @type {unknown} */ content) {
  const folder = await mkdtemp(join(dir, 'volume-'));
  const path = join(folder, 'settings.json');
  const link = join(folder, '..data');
  let changes = 0;
  const change = async (/** @type {unknown} */ content) => {
    const before = await readlink(link).catch(() => undefined);
    const next = `..2026_01_01_00_00_00.${++changes}`;
    await mkdir(join(folder, next));
    await writeFile(join(folder, next, 'settings.json'), written(content));
    await symlink(next, `${link}_tmp`);
    await rename(`${link}_tmp`, link);
    if (before) await rm(join(folder, before), { recursive: true });
  };
  await change(content);
  await symlink('..data/settings.json', path);
  return { path, change };
}

/** @param {import('node:test').TestContext} t @param {unknown} content @param {Record<string, string>} [env] */
async function liveShop(t, content, env) {
  const { path, change } = await volume(content);
  const app = await start({ MEDUSA_BACKEND_URL: api.url, STOREFRONT_SETTINGS: path, ...env });
  t.after(() => app.stop());
  const name = async () => /<title>([^<]*)</.exec((await app.get('/')).text)?.[1];
  return { app, path, change, name };
}

const logoOf = (/** @type {string} */ type, /** @type {string} */ body) =>
  `data:image/${type};base64,${Buffer.from(body).toString('base64')}`;

test('the logo stands for the name, and is no part of the shop when it is opened by itself', async (t) => {
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const app = await shop(t, { theme: { logo: logoOf('svg+xml', drawing) } });
  const { text } = await app.get('/');
  const [, path = ''] = /<img class="logo" src="(\/logo\?v=\w+)" alt="Harbour &amp; Sons"/.exec(text) ?? [];
  const { status, headers, text: body } = await app.get(path);
  assert.equal(status, 200);
  assert.equal(body, drawing);
  assert.equal(headers['content-type'], 'image/svg+xml');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-security-policy'], "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  assert.equal((await app.get(path, { headers: { 'if-none-match': headers.etag } })).status, 304);
});

/** Contrast as WCAG defines it. */
function contrast(/** @type {string} */ a, /** @type {string} */ b) {
  const luminance = (/** @type {string} */ hex) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, n) => {
      const part = parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16) / 255;
      return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    }, 0);
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

test('colours are those of the store, and legible whatever it chose', async (t) => {
  const choices = [
    { accent: '#0057b7', background: '#fffaf0', text: '#222222' },
    { accent: '#ffd400' },
    { background: '#ffffff', text: '#eeeeee' },
    { background: '#000000', text: '#111111', accent: '#000000' },
    { background: '#777777', text: '#888888', accent: '#767676' },
    { background: '#102030' },
    { accent: '#ffffff', background: '#ffffff' },
  ];
  for (const colors of choices) {
    const app = await shop(t, { theme: { colors } });
    const [, path = ''] = /<link rel="stylesheet" href="(\/theme\.css\?v=\w+)"/.exec((await app.get('/')).text) ?? [];
    const { headers, text } = await app.get(path);
    assert.equal(headers['content-type'], 'text/css');
    assert.match(headers['cache-control'], /immutable/);
    const schemes = text.split('@media ').filter(Boolean);
    assert.equal(schemes.length, colors.accent ? 2 : 1);
    for (const scheme of schemes) {
      const token = Object.fromEntries([...scheme.matchAll(/--([\w-]+):(#[0-9a-f]{6})/g)].map(([, k, v]) => [k, v]));
      const pairs = ['ink', 'soft', 'accent-text', 'sale', 'good'].map((name) => [token[name], token.paper]);
      for (const [a, b] of [...pairs, [token['on-accent'], token.accent]]) {
        assert.ok(contrast(a, b) >= 4.5, `${a} on ${b} in ${scheme} for ${JSON.stringify(colors)}`);
      }
      assert.ok(contrast(token['strong-line'], token.paper) >= 3, scheme);
    }
    if (colors.text === '#222222') {
      assert.match(text, /--paper:#fffaf0;--ink:#222222;.*--accent:#0057b7;--on-accent:#ffffff/);
    }
    await app.stop();
  }
  const plainApp = await shop(t, {});
  assert.equal((await plainApp.get('/theme.css')).status, 404);
  assert.equal((await plainApp.get('/logo')).status, 404);
});

test('a store that wants no search engine says so everywhere', async (t) => {
  const app = await shop(t, { robots: 'noindex' });
  assert.match((await app.get('/robots.txt')).text, /^User-agent: \*\nDisallow: \/\n/);
  for (const path of ['/', '/products/wool-cap', '/?q=cap']) {
    assert.match((await app.get(path)).text, /<meta name="robots" content="noindex"/, path);
  }
});

test('visitors begin in the language and currency of the store', async (t) => {
  const footerLinks = [
    { label: 'Impressum', href: 'https://shop.test/imprint' },
    { label: 'Versand', href: '/products/wool-cap' },
  ];
  const app = await shop(t, { locale: 'de', currency: 'usd', footerLinks });
  const { text } = await app.get('/');
  assert.match(text, /<html lang="de">/);
  assert.match(text, /55,00\s\$/);
  assert.match(text, /3 Produkte/);
  assert.match(text, /href="https:\/\/shop\.test\/imprint"[^>]*>Impressum/);
  assert.match(text, /href="\/products\/wool-cap"[^>]*>Versand/);
});

test('a visitor reads the language they chose, else the one their browser asks for', async (t) => {
  const app = await shop(t, {});
  const lang = async (/** @type {Record<string, string>} */ headers) =>
    /<html lang="(\w+)">/.exec((await app.get('/', { headers })).text)?.[1];
  assert.equal(await lang({}), 'en');
  assert.equal(await lang({ 'accept-language': 'de-AT,de;q=0.9,en;q=0.8' }), 'de');
  assert.equal(await lang({ 'accept-language': 'de;q=0.2, fr, en-GB;q=0.7' }), 'en');
  assert.equal(await lang({ 'accept-language': 'fr, de;q=0' }), 'en');
  assert.equal(await lang({ 'accept-language': ';;q=,,*' }), 'en');
  assert.equal(await lang({ 'accept-language': 'de', cookie: 'language=en' }), 'en');
  assert.equal(await lang({ 'accept-language': 'de', cookie: 'language=__proto__' }), 'de');
  // Concurrent pages for different visitors do not mix.
  const mixed = await Promise.all(
    Array.from({ length: 40 }, (_, n) => lang({ 'accept-language': n % 2 ? 'de' : 'en' })),
  );
  assert.deepEqual(new Set(mixed.filter((_, n) => n % 2)), new Set(['de']));
  assert.deepEqual(new Set(mixed.filter((_, n) => n % 2 === 0)), new Set(['en']));

  const choose = (language = 'de', to = '/?q=cap', origin = 'https://store-1.stores.test') =>
    app.get('/language', {
      method: 'POST',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: String(new URLSearchParams({ language, to })),
    });
  const chosen = await choose();
  assert.equal(chosen.status, 303);
  assert.equal(chosen.headers.location, '/?q=cap');
  assert.match(chosen.headers['set-cookie'][0], /^language=de;.*HttpOnly; Secure; SameSite=Lax/i);
  assert.equal(await lang({ cookie: 'language=de' }), 'de');
  assert.equal((await choose('xx')).status, 400);
  assert.equal((await choose('de', '/', 'https://evil.test')).status, 403);
  assert.equal((await choose('de', '//evil.test')).headers.location, '/');
});

test('errors are in the language of the visitor too', async (t) => {
  const app = await shop(t, {});
  const { status, text } = await app.get('/nothing', { headers: { accept: 'text/html', 'accept-language': 'de' } });
  assert.equal(status, 404);
  assert.match(text, /<html lang="de">.*Diese Seite gibt es nicht/s);
});

const themeOf = (/** @type {string} */ text) => /href="(\/theme\.css\?v=\w+)"/.exec(text)?.[1] ?? '';

test('the next request after a change of the file sees the new settings', async (t) => {
  const { app, change } = await liveShop(t, { name: 'Old & Co', theme: { colors: { accent: '#0057b7' } } });
  const old = await app.get('/');
  assert.match(old.text, /<title>Old &amp; Co<\/title>/);
  const cached = { headers: { 'if-none-match': old.headers.etag } };
  assert.equal((await app.get('/', cached)).status, 304);
  const blue = await app.get(themeOf(old.text));
  assert.match(blue.text, /--accent:#0057b7/);

  const logo = logoOf('png', 'a picture');
  await change({
    name: 'New & Co',
    theme: { logo, colors: { accent: '#0a7d4f' } },
    locale: 'de',
    currency: 'usd',
    footerLinks: [{ label: 'Impressum', href: '/imprint' }],
    robots: 'noindex',
  });
  const { status, text } = await app.get('/', cached);
  assert.equal(status, 200);
  assert.match(text, /<title>New &amp; Co<\/title>/);
  assert.match(text, /<html lang="de">/);
  assert.match(text, /55,00\s\$/);
  assert.match(text, /href="\/imprint"[^>]*>Impressum/);
  assert.match(text, /<meta name="robots" content="noindex"/);
  assert.doesNotMatch(text, /Old &amp; Co/);
  assert.match((await app.get('/robots.txt')).text, /^User-agent: \*\nDisallow: \/\n/);
  const green = await app.get(themeOf(text));
  assert.match(green.text, /--accent:#0a7d4f/);
  assert.match(green.headers['cache-control'], /immutable/);
  const [picture = ''] = /\/logo\?v=\w+/.exec(text) ?? [];
  assert.equal((await app.get(picture)).text, 'a picture');

  await change({ name: 'New & Co' });
  const plainPage = (await app.get('/')).text;
  assert.equal(themeOf(plainPage), '');
  assert.doesNotMatch(plainPage, /class="logo"/);
  assert.equal((await app.get(picture)).status, 404);
});

test('a browser does not keep colours or a logo of other settings', async (t) => {
  const of = (/** @type {string} */ accent, /** @type {string} */ logo) => {
    return { theme: { logo: logoOf('png', logo), colors: { accent } } };
  };
  const { app, change } = await liveShop(t, of('#0057b7', 'old'));
  const { text } = await app.get('/');
  const [picture = ''] = /\/logo\?v=\w+/.exec(text) ?? [];
  const before = await app.get(picture);
  assert.match(before.headers['cache-control'], /max-age=3600/);
  await change(of('#0a7d4f', 'new'));
  const sheet = await app.get(themeOf(text));
  assert.match(sheet.text, /--accent:#0a7d4f/);
  assert.equal(sheet.headers['cache-control'], 'no-store');
  const after = await app.get(picture, { headers: { 'if-none-match': before.headers.etag } });
  assert.equal(after.text, 'new');
  assert.equal(after.headers['cache-control'], 'no-store');
});

test('a checkout shows the new meaning of the manual payment', async (t) => {
  const { app, change } = await liveShop(t, {});
  const one = customer(app);
  await one.go('/products/linen-shirt');
  await one.send('variant');
  await one.go('/checkout');
  await one.send('email', anna);
  await one.send('option', { option: 'so_slow' });
  assert.match(one.page().text, /Test payment/);
  await change({ manualPayment: 'invoice' });
  const { text } = await one.go('/checkout/payment');
  assert.match(text, /Invoice/);
  assert.doesNotMatch(text, /Test payment|nothing is charged/);
});

test('a wrong file changes nothing but the log, until the next good one', async (t) => {
  const { app, path, change, name } = await liveShop(t, { name: 'First' });
  const errors = () => app.lines().filter(({ level }) => level === 'error');
  /** Two requests get the last good settings; the log has one more line. */
  const stays = async (/** @type {string} */ what) => {
    const before = errors().length;
    assert.deepEqual([await name(), await name()], ['First', 'First']);
    await until(() => errors().length > before);
    assert.deepEqual(
      errors()
        .map(({ message }) => message)
        .slice(before),
      [`STOREFRONT_SETTINGS names ${path}, ${what}; the last good settings stay`],
    );
  };
  await change('{');
  await stays('which is not JSON');
  await change('{"name":');
  await stays('which is not JSON');
  await change({ name: 1 });
  await stays('where name must be a text');
  await rename(path, `${path}.away`);
  await stays('which cannot be read (ENOENT)');
  await rename(`${path}.away`, path);
  await change({ name: 'Second' });
  assert.equal(await name(), 'Second');
  assert.equal(errors().length, 4);
});

test('the name of the file wins over STORE_NAME, which may be missing', async (t) => {
  const { name, change } = await liveShop(t, { name: ' Tea House ' }, { STORE_NAME: 'Fallback' });
  assert.equal(await name(), 'Tea House');
  await change({});
  assert.equal(await name(), 'Fallback');

  const bare = await liveShop(t, { name: 'Tea House' }, { STORE_NAME: '' });
  assert.equal(await bare.name(), 'Tea House');
  await bare.change({});
  assert.equal(await bare.name(), 'Tea House');
  await until(() => bare.app.lines().some(({ message }) => /where name must be set/.test(message)));
});
