// The stand-in's carts and orders in Medusa's formats, and failures of single routes.
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

const id = (/** @type {string} */ kind) => `${kind}_${randomBytes(8).toString('hex')}`;
const SHORT = 'Some variant does not have the required inventory';
const OPTIONS = [
  { id: 'so_fast', name: 'Express', amount: 12, type: { description: 'The next day' } },
  { id: 'so_slow', name: 'Standard', amount: 4.9, type: { description: 'In 3 days' } },
];

/** @param {(variant: string) => { title: string, variant: string, handle: string, price: number, stock: number } | undefined} find */
export function till(find) {
  /** @type {Map<string, any>} */
  const carts = new Map();
  /** @type {any[]} */
  const orders = [];
  const self = {
    carts,
    orders,
    /**
     * A failure: matching requests ("METHOD /path") get this instead of an answer; with `late`, after they took effect. @type {{ of: RegExp, what: 'hang' | 'broken' | 'cut', late?: boolean } | undefined}
     */
    trouble: undefined,
    /** Runs once, just before the next line is added to a cart. @type {(() => unknown) | undefined} */
    meanwhile: undefined,
    put,
    /** The region's payment providers. */
    providers: ['pp_system_default'],
    /** Stripe's payments by their ids. @type {Map<string, { status: string, failed?: boolean }>} */
    intents: new Map(),
    /** Whether an unpaid cart is reported with status 200, as some versions of Medusa do. */
    older: false,
    /** Why carts cannot be completed, checked before the payment. @type {string | undefined} */
    refusal: undefined,

    /** @param {string} method @param {string} path @param {URLSearchParams} query @param {any} body @returns {[number, unknown] | undefined} */
    answer(method, path, query, body) {
      const ok = (/** @type {unknown} */ what) => /** @type {[number, unknown]} */ ([200, what]);
      const refused = (/** @type {string} */ message, type = 'invalid_data', status = 400) =>
        /** @type {[number, unknown]} */ ([status, { type, message }]);
      const [, , kind, one, what, rest] = path.split('/');
      if (kind === 'shipping-options') return ok({ shipping_options: OPTIONS });
      if (kind === 'payment-providers') return ok({ payment_providers: self.providers.map((id) => ({ id })) });
      if (kind === 'payment-collections') {
        const cart = one ? [...carts.values()].find(({ collection }) => collection === one) : carts.get(body.cart_id);
        if (!one) cart.collection ??= id('pay_col');
        else {
          drop(cart);
          const session = { id: id('payses'), provider_id: body.provider_id, status: 'pending' };
          cart.sessions.push({ ...session, amount: sums(cart).total, data: intent(body.provider_id) });
        }
        return ok({ payment_collection: { id: cart.collection } });
      }
      if (kind === 'orders' && one === 'lookup') {
        const found = orders.find((order) => order.display_id === body.number && order.email === body.email);
        return found ? ok({ order: found }) : refused('no such order', 'not_found', 404);
      }
      if (kind === 'orders') {
        const order = orders.find((order) => order.id === one);
        return order ? ok({ order }) : refused('Order id not found', 'not_found', 404);
      }
      if (kind !== 'carts') return undefined;

      if (!one) {
        const cart = { id: id('cart'), region_id: body.region_id, email: null, items: [], methods: [], sessions: [] };
        carts.set(cart.id, cart);
        for (const item of body.items ?? []) {
          const wrong = put(cart, item);
          if (wrong) return refused(wrong);
        }
        return ok({ cart: shown(cart) });
      }
      const cart = carts.get(one);
      if (!cart) return refused(`Cart with id '${one}' not found`, 'not_found', 404);
      if (what === 'complete') {
        const wrong = cart.order ? undefined : authorize(cart);
        if (!wrong) return ok({ type: 'order', order: complete(cart) });
        if (self.older) return ok({ type: 'cart', cart: shown(cart), error: { message: wrong } });
        return refused(wrong, 'not_allowed');
      }
      if (method === 'GET') return ok({ cart: shown(cart) });
      if (cart.completed_at) return refused(`Cart ${one} is already completed.`);
      const before = sums(cart).total;
      if (what === 'line-items' && rest) {
        const line = cart.items.find((/** @type {any} */ item) => item.id === rest);
        if (method === 'DELETE') cart.items = cart.items.filter((/** @type {any} */ item) => item !== line);
        else {
          if ((find(line.variant_id)?.stock ?? 0) < body.quantity) return refused(SHORT);
          line.quantity = body.quantity;
          if (body.metadata) line.metadata = body.metadata;
        }
      } else if (what === 'line-items') {
        const { meanwhile } = self;
        self.meanwhile = undefined;
        meanwhile?.();
        const wrong = put(cart, body);
        if (wrong) return refused(wrong);
      } else if (what === 'shipping-methods') {
        const option = OPTIONS.find(({ id }) => id === body.option_id);
        if (!option) return refused('no such option');
        cart.methods = [{ id: id('casm'), name: option.name, amount: option.amount, shipping_option_id: option.id }];
      } else if (what === 'promotions') {
        return refused(`The promotion code ${body.promo_codes[0]} is invalid`);
      } else {
        Object.assign(cart, body);
      }
      // As in Medusa, a session has one amount.
      if (sums(cart).total !== before) drop(cart);
      return ok({ cart: shown(cart) });
    },
  };

  function intent(/** @type {string} */ provider) {
    if (provider !== 'pp_stripe_stripe') return {};
    const one = id('pi');
    self.intents.set(one, { status: 'requires_payment_method' });
    return { id: one, client_secret: `${one}_secret_${randomBytes(8).toString('hex')}` };
  }

  /** Removes a cart's sessions. As in Medusa, this cancels their payments and keeps sessions that Stripe cannot cancel. */
  function drop(/** @type {any} */ cart) {
    cart.sessions = cart.sessions.filter((/** @type {any} */ { data }) => {
      const known = self.intents.get(data.id);
      if (known?.status === 'succeeded') return true;
      if (known) known.status = 'canceled';
      return false;
    });
  }

  /** Why a cart is not paid, if it is not. As in Medusa, its first session counts, and stores Stripe's answer. */
  function authorize(/** @type {any} */ cart) {
    const [session] = cart.sessions.filter((/** @type {any} */ { status }) => !['error', 'canceled'].includes(status));
    if (!session) return 'Payment sessions are required to complete cart';
    if (self.refusal) return self.refusal;
    const known = self.intents.get(session.data.id);
    if (!known) return undefined;
    const { status, failed } = known;
    if (status === 'requires_payment_method') session.status = failed ? 'error' : 'pending';
    else if (status === 'requires_action') session.status = 'requires_more';
    else if (status === 'canceled') session.status = 'canceled';
    else if (status === 'processing') session.status = 'pending';
    else session.status = 'authorized';
    if (session.status === 'authorized') return undefined;
    return `Session: ${session.id} was not authorized with the provider.`;
  }

  function put(
    /** @type {any} */ cart,
    /** @type {{ variant_id: string, quantity: number, metadata?: Record<string, unknown> }} */ item,
  ) {
    const { variant_id, quantity, metadata = {} } = item;
    const found = find(variant_id);
    if (!found) return `Variant ${variant_id} does not exist`;
    // As in Medusa, lines with equal variant and metadata are merged.
    const same = cart.items.find(
      (/** @type {any} */ one) => one.variant_id === variant_id && isDeepStrictEqual(one.metadata, metadata),
    );
    if (found.stock < quantity + (same?.quantity ?? 0)) return SHORT;
    if (same) same.quantity += quantity;
    else {
      const { title, variant, handle, price } = found;
      const names = { title, product_title: title, product_handle: handle, variant_title: variant, thumbnail: null };
      cart.items.push({ id: id('cali'), variant_id, ...names, unit_price: price, quantity, metadata });
    }
    return undefined;
  }

  function sums(/** @type {any} */ cart) {
    const items = cart.items.reduce(
      (/** @type {number} */ sum, /** @type {any} */ item) => sum + item.unit_price * item.quantity,
      0,
    );
    const shipping = cart.methods[0]?.amount ?? 0;
    const total = Math.round((items + shipping) * 100) / 100;
    return {
      item_total: items,
      original_item_total: items,
      shipping_total: shipping,
      original_shipping_total: shipping,
      discount_total: 0,
      tax_total: 0,
      total,
    };
  }

  function shown(/** @type {any} */ cart) {
    const { methods, sessions, items, collection, ...rest } = cart;
    return {
      ...rest,
      ...sums(cart),
      currency_code: 'eur',
      completed_at: cart.completed_at ?? null,
      items: items.map((/** @type {any} */ item) => ({ ...item, original_total: item.unit_price * item.quantity })),
      shipping_methods: methods,
      promotions: [],
      payment_collection: collection && { id: collection, payment_sessions: sessions },
    };
  }

  function complete(/** @type {any} */ cart) {
    if (!cart.order) {
      cart.order = id('order');
      cart.completed_at = new Date().toISOString();
      const { completed_at, ...rest } = shown(cart);
      orders.push({
        ...rest,
        id: cart.order,
        display_id: orders.length + 1,
        status: 'pending',
        created_at: completed_at,
      });
    }
    return orders.find(({ id }) => id === cart.order);
  }

  return self;
}
