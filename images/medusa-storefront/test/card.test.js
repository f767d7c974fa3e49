// Card payments, with stand-ins for Medusa with Stripe's answers, and for Stripe's script.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { start } from './app.js';
import { anna, customer } from './customer.js';
import { medusa } from './medusa.js';

const CARD = 'pp_stripe_stripe';
const MANUAL = 'pp_system_default';
const KEY = 'pk_test_51Abc';

/** @type {any} */ let api;
/** @type {any} */ let app;
/** @type {any} */ let keyless;
before(async () => {
  api = await medusa({ publicUrl: 'https://api-1.stores.test' });
  app = await start({ MEDUSA_BACKEND_URL: api.url, STRIPE_PUBLISHABLE_KEY: KEY });
  keyless = await start({ MEDUSA_BACKEND_URL: api.url });
});
after(async () => {
  await Promise.all([app.stop(), keyless.stop()]);
  await api.close();
});
afterEach(() => {
  Object.assign(api.sales, { trouble: undefined, providers: [MANUAL], older: false, refusal: undefined });
});

/** A customer at the payment step. */
async function atPayment({ shop = app, providers = [MANUAL, CARD] } = {}) {
  api.sales.providers = providers;
  const one = customer(shop);
  await one.go('/products/linen-shirt');
  await one.send('variant');
  await one.go('/checkout');
  await one.send('email', anna);
  await one.send('option', { option: 'so_slow' });
  assert.equal(one.page().path, '/checkout/payment');
  return one;
}

/** A customer on the card page, the form's data, and the address to which Stripe redirects. */
async function atCard() {
  const one = await atPayment();
  await one.send('provider', { provider: CARD });
  assert.equal(one.page().path, '/checkout/card');
  return { one, ...shown(one) };
}

/** @param {any} one */
function shown(one) {
  const { text } = one.page();
  const data = (/** @type {string} */ name) => new RegExp(` data-${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  const secret = data('secret');
  const cart = one.cookies.get('__Host-cart') ?? '';
  return { data, secret, intent: api.sales.intents.get(secret.split('_secret_')[0]), cart };
}

const back = (/** @type {string} */ cart) => `/checkout/card/return?cart=${cart}`;
const orders = () => api.sales.orders.length;

describe('a card', () => {
  test('is offered only with a key, and where the region has Stripe', async () => {
    const offered = (/** @type {any} */ one) =>
      [...one.page().text.matchAll(/name="provider" value="(\w+)"/g)].map(([, id]) => id);
    assert.deepEqual(offered(await atPayment()), [CARD, MANUAL]);
    assert.deepEqual(offered(await atPayment({ providers: [MANUAL] })), [MANUAL]);
    const without = await atPayment({ shop: keyless });
    assert.deepEqual(offered(without), [MANUAL]);
    assert.equal((await without.send('provider', { provider: CARD })).status, 400);
    assert.deepEqual(offered(await atPayment({ providers: [CARD] })), [CARD]);
  });

  test('is entered in Stripe’s own form, of which the page has all that it needs', async () => {
    const { one, data, secret, cart } = await atCard();
    const { text, headers } = one.page();
    assert.equal(data('key'), KEY);
    assert.match(secret, /^pi_\w+_secret_\w+$/);
    assert.equal(data('back'), `https://store-1.stores.test${back(cart)}`);
    assert.match(text, /<script src="https:\/\/js\.stripe\.com\/endive\/stripe\.js" defer=""><\/script>/);
    assert.match(text, /<script src="\/card\.js" defer=""><\/script>/);
    assert.doesNotMatch(text, /<script(?! src=)/, 'nothing inline');
    assert.match(text, /<noscript>.*Paying by card needs JavaScript/s);
    assert.match(text, /href="\/checkout\/payment"[^>]*>Choose another way to pay/);
    assert.match(text, /€54\.80/);
    assert.match(text, /Test mode: nothing is charged/);
    assert.equal(headers['cache-control'], 'no-store');
    // Choosing the card again keeps the same payment.
    await one.go('/checkout/review');
    assert.equal(one.page().path, '/checkout/card');
    await one.go('/checkout/payment');
    await one.send('provider', { provider: CARD });
    assert.equal(shown(one).secret, secret);
  });

  test('lets that page alone ask Stripe for something', async () => {
    const { one, cart } = await atCard();
    assert.equal(
      one.page().headers['content-security-policy'].split('; ').slice(-4).join('; '),
      "script-src 'self' https://js.stripe.com https://*.js.stripe.com; connect-src 'self' https://api.stripe.com https://link.com https://*.link.com; " +
        'frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com https://link.com https://*.link.com; ' +
        "img-src 'self' https://*.link.com",
    );
    assert.equal(one.page().headers['cross-origin-opener-policy'], 'same-origin-allow-popups');
    for (const path of ['/', '/cart', '/checkout', '/checkout/payment', back(cart), '/products/linen-shirt']) {
      const { headers, text } = await one.go(path);
      assert.doesNotMatch(headers['content-security-policy'], /stripe|https?:/, path);
      assert.doesNotMatch(text, /js\.stripe\.com|_secret_/, path);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
    }
  });

  test('that was chosen twice at once is one payment', async () => {
    const one = await atPayment();
    const sends = () => one.send('provider', { provider: CARD });
    const before = api.sales.intents.size;
    await Promise.all([sends(), sends()]);
    assert.equal(api.sales.intents.size, before + 1);
    assert.equal(one.page().path, '/checkout/card');
  });

  test('is not a way to pay any more when the shop takes its key away', async () => {
    const { one } = await atCard();
    const other = customer(keyless);
    for (const [name, value] of one.cookies) other.cookies.set(name, value);
    assert.equal((await other.go('/checkout/card')).path, '/checkout/payment');
    await other.send('provider', { provider: MANUAL });
    assert.equal(other.page().path, '/checkout/review');
  });
});

describe('whoever comes back from Stripe', () => {
  for (const status of ['requires_capture', 'succeeded']) {
    test(`having paid (${status}) gets one order, by whatever way and however often`, async () => {
      const { one, intent, cart } = await atCard();
      const before = orders();
      intent.status = status;
      const get = () => app.get(`${back(cart)}&redirect_status=succeeded`, { headers: { accept: 'text/html' } });
      const answers = await Promise.all([get(), get(), one.go(back(cart))]);
      assert.match(one.page().path, /^\/orders\/order_/);
      assert.ok(!one.cookies.has('__Host-cart'), 'the cart is gone');
      // Reload, another tab without the cookie, the back button to the card.
      answers.push(await get());
      for (const { headers, status } of answers.filter(({ status }) => status !== 200)) {
        assert.equal(status, 303);
        assert.equal(headers.location, one.page().path);
      }
      assert.equal(orders(), before + 1);
      assert.equal((await one.go('/checkout/card')).path, '/cart');
    });
  }

  for (const older of [false, true]) {
    for (const [status, failed, says] of /** @type {const} */ ([
      ['requires_payment_method', true, /The payment was declined/],
      ['requires_payment_method', false, /not confirmed yet/],
      ['processing', false, /not confirmed yet/],
      ['requires_action', false, /Your bank requires you to confirm/],
      ['canceled', false, /The payment was declined or cancelled/],
    ])) {
      test(`with ${status}${failed ? ', declined,' : ''} is told what to do${older ? ' (older Medusa)' : ''}`, async () => {
        const { one, intent, cart } = await atCard();
        const before = orders();
        api.sales.older = older;
        Object.assign(intent, { status, failed });
        const { status: answered, text } = await one.go(back(cart));
        assert.equal(answered, 200);
        assert.match(text, says);
        assert.match(text, /href="\/checkout\/payment"/);
        assert.equal(orders(), before);
        assert.ok(one.cookies.has('__Host-cart'), 'the cart is kept');
        // A later success counts too, without another payment.
        if (status !== 'processing') return;
        intent.status = 'succeeded';
        await one.go(back(cart));
        assert.match(one.page().path, /^\/orders\/order_/);
        assert.equal(orders(), before + 1);
      });
    }
  }

  test('declined pays with another card, and the first payment can never be charged', async () => {
    const { one, intent, cart, secret } = await atCard();
    const before = orders();
    Object.assign(intent, { failed: true });
    await one.go(back(cart));
    await one.send('provider');
    assert.equal(one.page().path, '/checkout/card');
    const second = shown(one);
    assert.notEqual(second.secret, secret);
    assert.equal(intent.status, 'canceled');
    second.intent.status = 'requires_capture';
    await one.go(back(cart));
    assert.match(one.page().path, /^\/orders\/order_/);
    assert.equal(orders(), before + 1);
  });

  for (const late of [false, true]) {
    test(`while completing ${late ? 'works without an answer' : 'does not work'} looks again and has one order`, async () => {
      const { one, intent, cart } = await atCard();
      const before = orders();
      intent.status = 'succeeded';
      api.sales.trouble = { of: /complete/, what: 'broken', late };
      const { text } = await one.go(back(cart));
      assert.match(text, /Checking again is safe/);
      assert.match(text, new RegExp(`href="/checkout/card/return\\?cart=${cart}"`));
      api.sales.trouble = undefined;
      await one.go(back(cart));
      assert.match(one.page().path, /^\/orders\/order_/);
      assert.equal(orders(), before + 1);
    });
  }

  test('when something was sold meanwhile takes less of it, which calls the payment off', async () => {
    const { one, intent, cart } = await atCard();
    intent.status = 'requires_capture';
    api.sales.refusal = 'Not enough stock available for item';
    const { text } = await one.go(back(cart));
    assert.match(text, /not enough left.*This cancels your payment/s);
    await one.go('/cart');
    await one.send('line', { quantity: '2' });
    assert.equal(intent.status, 'canceled');
  });

  test('of a cart that cannot be ordered is told to ask, and not that nothing was paid', async () => {
    const { one, intent, cart } = await atCard();
    intent.status = 'requires_capture';
    api.sales.refusal = 'Shipping method does not fit the address';
    const { text } = await one.go(back(cart));
    assert.match(text, /Nothing was ordered: please look at your cart, or ask the shop before you pay again/);
    assert.doesNotMatch(text, /name="provider"/);
  });

  test('with a cart that is not paid by card orders nothing', async () => {
    const one = await atPayment();
    await one.send('provider', { provider: MANUAL });
    const before = orders();
    const cart = one.cookies.get('__Host-cart') ?? '';
    assert.equal((await one.go(back(cart))).path, '/cart');
    assert.equal((await one.go(back('cart_unknown'))).path, '/cart');
    assert.equal((await one.go('/checkout/card/return?cart=../x')).path, '/cart');
    assert.equal(orders(), before);
  });
});

describe('whoever has paid by card', () => {
  test('and never came back gets that order when they choose another way', async () => {
    const { one, intent } = await atCard();
    const before = orders();
    intent.status = 'succeeded';
    await one.go('/checkout/payment');
    await one.send('provider', { provider: MANUAL });
    assert.match(one.page().path, /^\/orders\/order_/);
    assert.equal(orders(), before + 1);
  });

  test('and changes the cart before it is ordered pays nothing again', async () => {
    const { one, intent, cart } = await atCard();
    const before = orders();
    intent.status = 'succeeded';
    await one.go('/cart');
    await one.send('line', { quantity: '2' });
    assert.match((await one.go(back(cart))).text, /Please do not pay again, and ask the shop/);
    for (const provider of [CARD, MANUAL, CARD]) {
      await one.go('/checkout/payment');
      const held = await one.send('provider', { provider });
      assert.equal(held.status, 409);
      assert.match(held.text, /may have gone through already/);
    }
    assert.equal((await one.go('/checkout/card')).path, '/checkout/payment');
    assert.equal((await one.go('/checkout/review')).path, '/checkout/payment');
    assert.equal(orders(), before);
  });

  test('with an invoice’s way instead is charged nothing by the card that was begun', async () => {
    const { one, intent } = await atCard();
    await one.go('/checkout/payment');
    await one.send('provider', { provider: MANUAL });
    assert.equal(one.page().path, '/checkout/review');
    assert.equal(intent.status, 'canceled');
    await one.send('cart');
    assert.match(one.page().path, /^\/orders\/order_/);
  });
});

describe('the script of the card’s page', () => {
  const source = readFile(new URL('../static/card.js', import.meta.url), 'utf8');

  /** Runs it with minimal fakes of the page and of Stripe. @param {any} stripe */
  async function page(stripe) {
    const element = () => ({ hidden: true, textContent: '', disabled: true });
    const button = { ...element(), textContent: 'Place order' };
    /** @type {any} */ let submit;
    /** @type {string[]} */ const left = [];
    /** @type {any[]} */ const confirmed = [];
    const trouble = element();
    const dataset = { key: KEY, secret: 's', back: 'https://shop/return', language: 'en', wait: 'Wait' };
    const words = { away: 'away', failed: 'failed', hint: 'hint', changed: 'changed' };
    const form = {
      dataset: { ...dataset, ...words },
      querySelector: () => button,
      addEventListener: (/** @type {string} */ _, /** @type {any} */ listener) => (submit = listener),
    };
    const elements = {
      create: () => ({
        on: (/** @type {string} */ name, /** @type {any} */ ready) => name === 'ready' && ready(),
        mount() {},
      }),
    };
    runInNewContext(await source, {
      document: { getElementById: (/** @type {string} */ id) => (id === 'card' ? form : trouble) },
      location: { replace: (/** @type {string} */ to) => left.push(to) },
      addEventListener() {},
      matchMedia: () => ({ matches: true, addEventListener() {} }),
      getComputedStyle: () => ({ colorScheme: 'light dark', getPropertyValue: () => ' #123456' }),
      ...(stripe && {
        Stripe: () => ({
          retrievePaymentIntent: async () => ({ paymentIntent: { status: stripe.status } }),
          elements: () => elements,
          async confirmPayment(/** @type {any} */ asked) {
            confirmed.push(asked.confirmParams.return_url);
            return stripe.confirm();
          },
        }),
      }),
    });
    await new Promise((resolve) => setImmediate(resolve));
    return { button, trouble, left, confirmed, submit: () => submit({ preventDefault() {} }) };
  }

  test('confirms once however often the button is pressed', async () => {
    const shop = await page({ status: 'requires_payment_method', confirm: () => new Promise(() => {}) });
    assert.equal(shop.button.disabled, false);
    shop.submit();
    shop.submit();
    await shop.submit();
    assert.deepEqual(shop.confirmed, ['https://shop/return']);
    assert.equal(shop.button.disabled, true);
    assert.equal(shop.button.textContent, 'Wait');
  });

  test('tells why a card was declined and what to do, and takes another', async () => {
    const error = { type: 'card_error', message: 'Your card was declined.', payment_intent: { status: 'x' } };
    const shop = await page({ status: 'requires_payment_method', confirm: async () => ({ error }) });
    await shop.submit();
    assert.equal(shop.trouble.textContent, 'Your card was declined. hint');
    assert.equal(shop.trouble.hidden, false);
    assert.equal(shop.button.disabled, false);
    assert.deepEqual(shop.left, []);
  });

  test('asks the shop where another tab has paid, or nobody knows', async () => {
    const paid = { error: { type: 'invalid_request_error', payment_intent: { status: 'succeeded' } } };
    const other = await page({ status: 'requires_payment_method', confirm: async () => paid });
    await other.submit();
    const lost = await page({ status: 'requires_payment_method', confirm: () => Promise.reject(new Error('network')) });
    await lost.submit();
    const before = await page({ status: 'requires_capture' });
    for (const { left } of [other, lost, before]) assert.deepEqual(left, ['https://shop/return']);
    assert.deepEqual(before.confirmed, []);
  });

  test('tells that Stripe is away, or that the payment is of a cart that has changed', async () => {
    assert.equal((await page(undefined)).trouble.textContent, 'away');
    assert.equal((await page({ status: 'canceled' })).trouble.textContent, 'changed');
  });
});
