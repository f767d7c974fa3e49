// Buying: a cart becomes one order, whatever fails and however often forms are sent.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { start } from './app.js';
import { anna, customer } from './customer.js';
import { medusa } from './medusa.js';

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
afterEach(() => {
  api.sales.trouble = undefined;
});

/** A customer at this step, in a shop that works. */
async function at(/** @type {string} */ step) {
  const one = customer(app);
  await one.go('/products/linen-shirt');
  if (step === 'product') return one;
  await one.send('variant');
  await one.go('/checkout');
  if (step === 'address') return one;
  await one.send('email', anna);
  if (step === 'shipping') return one;
  await one.send('option', { option: 'so_slow' });
  if (step === 'payment') return one;
  await one.send('provider');
  assert.equal(one.page().path, '/checkout/review');
  return one;
}

describe('a purchase', () => {
  test('goes from the product to the confirmation by forms alone, and the order is looked up', async () => {
    const one = await at('review');
    assert.match(one.page().text, /€54\.80/);
    assert.match(one.page().text, /Test mode: nothing is charged/);
    await one.send('cart');
    assert.match(one.page().path, /^\/orders\/order_/);
    assert.match(one.page().text, /anna@example\.com/);
    assert.match(one.page().text, /Hauptstraße 1/);
    assert.match(one.page().text, /<meta name="robots" content="noindex"/);
    assert.ok(!one.cookies.has('__Host-cart'), 'the cart is gone');
    const order = api.sales.orders.at(-1);
    assert.equal(order.total, 54.8);
    await one.go('/orders');
    const found = await one.send('number', { number: `#${order.display_id}`, email: anna.email });
    assert.match(found.text, /Linen shirt/);
    assert.doesNotMatch(found.text, /Hauptstraße/);
    const missing = await one.send('number', { number: '4711', email: anna.email });
    assert.equal(missing.status, 404);
    assert.match(missing.text, /There is no order with this number/);
    assert.equal(one.form('number')?.values.email, anna.email);
  });

  test('is looked up only so often by one visitor, whose address the visitor cannot choose', async (t) => {
    const lookUp = async (/** @type {string} */ forwarded) => {
      const one = customer(app, { proxied: { 'x-forwarded-for': forwarded } });
      await one.go('/orders');
      return one.send('number', { number: '4711', email: anna.email });
    };
    t.after(() => (api.limited = undefined));
    api.limited = '203.0.113.7';
    const limited = await lookUp('203.0.113.8, 203.0.113.7');
    assert.equal(limited.status, 429);
    assert.match(limited.text, /There were too many attempts/);
    assert.equal((await lookUp('203.0.113.7, 203.0.113.8')).status, 404);
    api.limited = '127.0.0.1';
    assert.equal((await lookUp('')).status, 429, 'without a proxy it is the address of the connection');
  });

  test('of ten customers at once ends in ten orders', async () => {
    const before = api.sales.orders.length;
    const all = await Promise.all(Array.from({ length: 10 }, () => at('review')));
    await Promise.all(all.map((one) => one.send('cart')));
    const paths = new Set(all.map((one) => one.page().path));
    assert.equal(paths.size, 10);
    assert.equal(api.sales.orders.length, before + 10);
  });

  test('sent twice at once, again after going back, and from another tab, is one order', async () => {
    const one = await at('review');
    const form = one.form('cart');
    const before = api.sales.orders.length;
    const post = () =>
      app.get('/checkout/review', {
        method: 'POST',
        headers: {
          accept: 'text/html',
          origin: 'https://store-1.stores.test',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams(form?.values).toString(),
      });
    const answers = [...(await Promise.all([post(), post()])), await post()];
    assert.deepEqual(
      [...new Set(answers.map(({ status, headers }) => `${status} ${headers.location.replace(/order_.*/, '')}`))],
      ['303 /orders/'],
    );
    assert.equal(new Set(answers.map(({ headers }) => headers.location)).size, 1);
    assert.equal(api.sales.orders.length, before + 1);
    // The other tab still has the cookie, but its cart has become an order and is no longer shown.
    assert.equal((await one.go('/checkout/review')).path, '/cart');
    assert.match(one.page().text, /Your cart is empty/);
  });

  test('is not placed for another total than the one that was shown', async () => {
    const one = await at('review');
    const before = api.sales.orders.length;
    const cart = api.sales.carts.get(one.cookies.get('__Host-cart'));
    cart.items[0].unit_price = 60;
    cart.sessions[0].amount = 64.9;
    const changed = await one.send('cart');
    assert.equal(changed.status, 409);
    assert.match(changed.text, /Your cart has changed in the meantime/);
    assert.match(changed.text, /€64\.90/);
    assert.equal(api.sales.orders.length, before);
    await one.send('cart');
    assert.equal(api.sales.orders.length, before + 1);
  });

  test('leads whoever skips a step to the first that needs something', async () => {
    const one = await at('address');
    for (const path of ['/checkout/shipping', '/checkout/payment', '/checkout/review']) {
      assert.equal((await one.go(path)).path, '/checkout');
    }
    const nobody = customer(app);
    assert.equal((await nobody.go('/checkout')).path, '/cart');
  });

  test('says which fields of an address are missing, and keeps the others', async () => {
    const one = await at('address');
    const answer = await one.send('email', { ...anna, email: 'anna', city: ' ', last_name: '"<i ' });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /id="wrong-email"/);
    assert.match(answer.text, /id="wrong-city"/);
    assert.doesNotMatch(answer.text, /id="wrong-first_name"/);
    const kept = one.form('email')?.values;
    assert.equal(kept?.address_1, anna.address_1);
    assert.equal(kept?.last_name, '"<i');
    assert.equal(kept?.country_code, 'de');
  });

  test('of more than there is tells so, and keeps the cart', async () => {
    const one = await at('product');
    const answer = await one.send('variant', { quantity: '99' });
    assert.equal(answer.status, 409);
    assert.match(answer.text, /There is not enough left/);
  });

  test('changes quantities, removes lines and refuses codes that do not work', async () => {
    const one = await at('product');
    await one.send('variant');
    await one.go('/cart');
    await one.send('line', { quantity: '3' });
    assert.match(one.page().text, /€149\.70/);
    const refused = await one.send('code', { code: 'NOPE' });
    assert.equal(refused.status, 409);
    assert.match(refused.text, /This code does not work/);
    await one.go('/cart');
    await one.send('line', { quantity: '0' });
    assert.match(one.page().text, /Your cart is empty/);
  });

  test('works from another cart when the one of the cookie is gone', async () => {
    const one = await at('product');
    one.cookies.set('__Host-cart', 'cart_unknown');
    await one.send('variant');
    assert.equal(one.page().status, 200);
    assert.notEqual(one.cookies.get('__Host-cart'), 'cart_unknown');
  });
});

describe('adding to the cart', () => {
  const items = (/** @type {any} */ one) => api.sales.carts.get(one.cookies.get('__Host-cart')).items;
  const quantities = (/** @type {any} */ one) => items(one).map((/** @type {any} */ { quantity }) => quantity);

  test('twice at once by the same form is one thing, by two forms two, in one line', async () => {
    const one = await at('product');
    // The cart already exists with another product.
    await one.go('/products/wool-cap');
    await one.send('variant');
    await one.go('/products/linen-shirt');
    const form = one.page();
    await Promise.all([one.send('variant'), one.send('variant')]);
    assert.deepEqual(quantities(one), [1, 1]);
    await one.go('/products/linen-shirt');
    await one.send('variant');
    assert.deepEqual(quantities(one), [1, 2]);
    // The form is sent again much later, after the back button: the cart is shown.
    one.show(form);
    assert.equal((await one.send('variant')).path, '/cart');
    assert.deepEqual(quantities(one), [1, 2]);
  });

  test('twice at once without a cart is one thing in the cart that the browser keeps', async () => {
    const one = await at('product');
    await Promise.all([one.send('variant'), one.send('variant')]);
    assert.deepEqual(quantities(one), [1]);
  });

  test('by two forms at once loses neither', async () => {
    const [one, other] = [await at('product'), await at('product')];
    await one.go('/products/wool-cap');
    await one.send('variant');
    await Promise.all([one, other].map((who) => who.go('/products/wool-cap')));
    other.cookies.set('__Host-cart', one.cookies.get('__Host-cart') ?? '');
    await Promise.all([one.send('variant'), other.send('variant')]);
    assert.deepEqual(quantities(one), [3]);
  });

  test('by the same form at two replicas at once is one thing', async () => {
    const one = await at('product');
    await one.go('/products/wool-cap');
    await one.send('variant');
    await one.go('/products/linen-shirt');
    // Another replica has added it after this one has read the cart: Medusa adds both.
    const cart = api.sales.carts.get(one.cookies.get('__Host-cart'));
    const { once, variant } = one.form('variant')?.values ?? {};
    api.sales.meanwhile = () => api.sales.put(cart, { variant_id: variant, quantity: 1, metadata: { added: [once] } });
    await one.send('variant');
    assert.deepEqual(quantities(one), [1, 1]);
  });

  test('again after it worked without an answer adds nothing', async () => {
    const one = await at('product');
    await one.go('/products/wool-cap');
    await one.send('variant');
    await one.go('/products/linen-shirt');
    api.sales.trouble = { of: /line-items/, what: 'cut', late: true };
    const failed = await one.send('variant');
    assert.equal(failed.status, 503);
    api.sales.trouble = undefined;
    assert.equal((await one.send('variant')).path, '/cart');
    assert.deepEqual(quantities(one), [1, 1]);
  });

  test('leaves a line alone that means something else to whoever made it', async () => {
    const one = await at('product');
    await one.send('variant');
    items(one)[0].metadata = { engraving: 'A.' };
    await one.go('/products/linen-shirt');
    await one.send('variant');
    assert.deepEqual(quantities(one), [1, 1]);
  });
});

const troubles = /** @type {const} */ ([
  { name: 'answers 500', what: 'broken' },
  { name: 'hangs up', what: 'cut' },
  { name: 'does not answer', what: 'hang' },
]);
const sends = /** @type {const} */ ([
  ['product', 'variant', {}, /POST \/store\/carts/, /variant_0_S/],
  ['address', 'email', anna, /POST \/store\/carts\/cart/, /Hauptstraße 1/],
  ['shipping', 'option', { option: 'so_fast' }, /shipping-methods/, /value="so_fast" checked/],
  ['payment', 'provider', {}, /payment-sessions/, /value="pp_system_default"/],
]);
for (const { name, what } of troubles) {
  describe(`an API that ${name}`, { concurrency: 1 }, () => {
    for (const [step, field, entered, of, kept] of sends) {
      test(`costs nothing at the step ${step}`, async () => {
        const one = await at(step);
        api.sales.trouble = { of, what };
        const failed = await one.send(field, entered);
        assert.equal(failed.status, 503);
        assert.match(failed.text, /Nothing is lost: please try again/);
        if (step !== 'shipping') assert.match(failed.text, kept);
        api.sales.trouble = undefined;
        const again = await one.send(field, entered);
        assert.equal(again.status, 200);
        assert.notEqual(again.path, failed.path);
      });
    }

    test('costs nothing when it is away altogether', async () => {
      const one = await at('address');
      api.sales.trouble = { of: /carts|options|collections|providers/, what };
      const failed = await one.send('email', anna);
      assert.equal(failed.status, 503);
      assert.equal(one.form('email')?.values.address_1, anna.address_1);
      assert.equal(one.form('email')?.values.country_code, 'de');
      // The rest of the shop works.
      assert.equal((await one.go('/')).status, 200);
    });

    for (const late of [false, true]) {
      test(`never orders twice when completing ${late ? 'worked' : 'did not work'}`, async () => {
        const one = await at('review');
        const before = api.sales.orders.length;
        api.sales.trouble = { of: /complete/, what, late };
        const unknown = await one.send('cart');
        assert.equal(unknown.status, 503);
        assert.match(unknown.text, /never placed or paid twice/);
        assert.equal(api.sales.orders.length, before + (late ? 1 : 0));
        api.sales.trouble = undefined;
        await one.send('cart');
        assert.match(one.page().path, /^\/orders\/order_/);
        assert.equal(api.sales.orders.length, before + 1);
      });
    }
  });
}

describe('the cart’s cookie', () => {
  test('is for this host, over HTTPS and no script’s; and whoever has none asks nobody for a cart', async () => {
    const one = await at('product');
    const { values } = one.form('variant') ?? {};
    const added = await app.get('/cart?/add', {
      method: 'POST',
      headers: {
        accept: 'text/html',
        origin: 'https://store-1.stores.test',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(values).toString(),
    });
    const [cookie] = added.headers['set-cookie'];
    assert.match(cookie, /^__Host-cart=cart_\w+; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const calls = api.calls.length;
    await customer(app).go('/products/linen-shirt');
    assert.ok(api.calls.slice(calls).every((/** @type {any} */ { url }) => !url.includes('/carts')));
  });

  test('works over plain HTTP too', async () => {
    const plain = await start({ MEDUSA_BACKEND_URL: api.url, STOREFRONT_URL: 'http://store-1.localhost' });
    const one = customer(plain, { origin: 'http://store-1.localhost' });
    await one.go('/products/linen-shirt');
    await one.send('variant');
    assert.match(one.cookies.get('cart') ?? '', /^cart_/);
    assert.match(one.page().text, /Cart, 1 item/);
    await plain.stop();
  });

  test('is not used by forms of other sites', async () => {
    const one = await at('review');
    const before = api.sales.orders.length;
    const { values } = one.form('cart') ?? {};
    for (const origin of ['https://evil.example', 'null', undefined]) {
      const answer = await app.get('/checkout/review', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...(origin && { origin }) },
        body: new URLSearchParams(values).toString(),
      });
      assert.equal(answer.status, 403, String(origin));
    }
    assert.equal(api.sales.orders.length, before);
  });
});
