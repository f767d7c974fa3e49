// A stand-in for the Medusa API: the routes that the storefront uses, in Medusa's formats, with switchable failures.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { till } from './till.js';

export const KEY = `pk_${'0123456789abcdef'.repeat(4)}`;

/** A red pixel. */
export const PIXEL = Buffer.from('R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

export const EUR = {
  id: 'reg_01EU',
  name: 'Europe',
  currency_code: 'eur',
  countries: [{ iso_2: 'de' }, { iso_2: 'fr' }],
};
export const USD = { id: 'reg_02US', name: 'United States', currency_code: 'usd', countries: [{ iso_2: 'us' }] };

/**
 * @typedef {{ [size: string]: { eur?: number, usd?: number, before?: number, stock?: number } }} Sizes
 * @typedef {{ handle: string, title: string, subtitle?: string, description?: string, material?: string,
 *   pictures?: string[], categories?: string[], collection?: string, sizes: Sizes }} Sample
 */

/** @type {Sample[]} */
export const goods = [
  {
    handle: 'linen-shirt',
    title: 'Linen shirt',
    subtitle: 'Washed, with horn buttons',
    description: 'A shirt for warm days.\nWoven in Portugal.',
    material: 'Linen',
    pictures: ['shirt.gif', 'shirt back.gif'],
    categories: ['shirts'],
    collection: 'summer',
    sizes: {
      S: { eur: 49.9, usd: 55, stock: 3 },
      M: { eur: 49.9, usd: 55, stock: 0 },
      L: { eur: 54.9, usd: 60, stock: 1 },
    },
  },
  {
    handle: 'wool-cap',
    title: 'Wool cap',
    pictures: ['cap.gif'],
    categories: ['hats'],
    sizes: { 'One size': { eur: 19.5, usd: 22, before: 26, stock: 8 } },
  },
  {
    handle: 'last-scarf',
    title: 'Last scarf',
    categories: ['hats'],
    sizes: { 'One size': { eur: 30, usd: 33, stock: 0 } },
  },
];

const categories = [
  { id: 'pcat_1', name: 'Clothes', handle: 'clothes', description: 'To wear', parent_category_id: null, rank: 0 },
  { id: 'pcat_2', name: 'Shirts', handle: 'shirts', description: '', parent_category_id: 'pcat_1', rank: 1 },
  { id: 'pcat_3', name: 'Hats', handle: 'hats', description: '', parent_category_id: null, rank: 2 },
];
const collections = [{ id: 'pcol_1', title: 'Summer', handle: 'summer' }];

/**
 * @param {{ publicUrl: string, samples?: Sample[], regions?: (typeof EUR)[], groups?: boolean }} store
 */
export async function medusa({ publicUrl, samples = goods, regions = [EUR, USD], groups = true }) {
  /** @type {{ method: string, url: string }[]} */
  const calls = [];
  /** @type {(() => void)[]} */
  let held = [];
  let most = 0;
  let open = 0;
  const sales = till((id) => {
    const [, index, size] = /^variant_(\d+)_(.+)$/.exec(id) ?? [];
    const sample = samples[Number(index)];
    const [variant, of] = Object.entries(sample?.sizes ?? {}).find(([name]) => name.replaceAll(' ', '') === size) ?? [];
    if (!sample || !of || variant === undefined) return undefined;
    return { title: sample.title, handle: sample.handle, variant, price: of.eur ?? 0, stock: of.stock ?? 0 };
  });
  const api = {
    calls,
    /** Carts, orders and their failures. */
    sales,
    /** `hang` accepts requests and does not answer before `release`. @type {'well' | 'broken' | 'garbled' | 'hang'} */
    mood: 'well',
    key: KEY,
    regions,
    /** Who may look up no more orders. @type {string | undefined} */
    limited: undefined,
    /** The maximum number of requests that were unanswered at the same time. */
    most: () => most,
    /** How many requests wait for `release`. */
    held: () => held.length,
    release() {
      api.mood = 'well';
      for (const go of held) go();
      held = [];
    },
    url: '',
    port: 0,
    /** Also serves every handle that matches, so that a test can request many products. */
    any: /^thing-\d+$/,
    async close() {
      server.close();
      server.closeAllConnections();
    },
    /** @param {number} [port] */
    async listen(port = 0) {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      const address = /** @type {import('node:net').AddressInfo} */ (server.address());
      api.port = address.port;
      api.url = `http://127.0.0.1:${address.port}`;
    },
  };

  const server = createServer(async (request, response) => {
    calls.push({ method: request.method ?? '', url: request.url ?? '' });
    most = Math.max(most, ++open);
    response.once('close', () => open--);
    if (api.mood === 'hang') await new Promise((resolve) => held.push(() => resolve(undefined)));
    if (api.mood === 'broken')
      return json(500, { code: 'unknown_error', type: 'unknown_error', message: 'An unknown error occurred.' });
    if (api.mood === 'garbled')
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{"regions": [');
    const url = new URL(request.url ?? '', 'http://api');
    if (url.pathname.startsWith('/static/')) return file(decodeURIComponent(url.pathname.slice('/static/'.length)));
    const cancelled = /^\/smoke\/orders\/(\w+)\/cancel$/.exec(url.pathname)?.[1];
    if (cancelled) {
      const order = sales.orders.find(({ id, email }) => id === cancelled && email === 'smoke-test@urumi.invalid');
      if (request.headers['x-smoke-token'] !== 'the token') return json(401, { message: 'Unauthorized' });
      if (!order) return json(404, { message: 'There is no such smoke order' });
      order.status = 'canceled';
      return json(200, { order: { id: order.id, status: order.status } });
    }
    if (request.headers['x-publishable-api-key'] !== api.key) {
      return json(400, {
        type: 'not_allowed',
        message: 'A valid publishable key is required to proceed with the request',
      });
    }
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 50);
    const list = (/** @type {string} */ name, /** @type {unknown[]} */ all) => {
      json(200, { [name]: all.slice(offset, offset + limit), count: all.length, offset, limit });
    };
    if (url.pathname === '/store/regions') return list('regions', api.regions);
    if (url.pathname === '/store/product-categories') return list('product_categories', groups ? categories : []);
    if (url.pathname === '/store/collections') return list('collections', groups ? collections : []);
    if (url.pathname === '/store/products') return list('products', products(url.searchParams));
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const method = request.method ?? '';
    const { trouble } = sales;
    const troubled = trouble?.of.test(`${method} ${url.pathname}`) ? trouble : undefined;
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const visitor = request.headers['x-forwarded-for'];
    if (url.pathname === '/store/orders/lookup' && visitor === api.limited)
      return json(429, { type: 'too_many_requests', message: 'Too many attempts to look up an order' });
    const answered =
      troubled && !troubled.late ? undefined : sales.answer(method, url.pathname, url.searchParams, body);
    if (troubled?.what === 'hang') return;
    if (troubled?.what === 'cut') return request.socket.destroy();
    if (troubled)
      return json(500, { code: 'unknown_error', type: 'unknown_error', message: 'An unknown error occurred.' });
    if (answered) return json(...answered);
    json(404, { type: 'not_found', message: `Cannot ${request.method} ${url.pathname}` });

    function json(/** @type {number} */ status, /** @type {unknown} */ body) {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
    }

    function file(/** @type {string} */ name) {
      /** @type {Record<string, [string, Buffer | string]>} */
      const files = {
        'shirt.gif': ['image/gif', PIXEL],
        'shirt back.gif': ['image/gif', PIXEL],
        'cap.gif': ['image/gif', PIXEL],
        'drawing.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
        'page.html': ['text/html', '<script>alert(1)</script>'],
        'private-orders.gif': ['image/gif', PIXEL],
      };
      const found = files[name];
      if (!found) return response.writeHead(404, { 'content-type': 'text/html' }).end('Cannot GET');
      const etag = 'W/"2a-19"';
      if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
      response
        .writeHead(200, { 'content-type': found[0], 'content-length': found[1].length, etag })
        .end(request.method === 'HEAD' ? undefined : found[1]);
    }
  });

  function products(/** @type {URLSearchParams} */ query) {
    const region = api.regions.find(({ id }) => id === query.get('region_id'));
    const currency = /** @type {'eur' | 'usd'} */ (region?.currency_code);
    const wanted = [...query].filter(([name]) => name.startsWith('category_id')).map(([, id]) => id);
    const handle = query.get('handle');
    const all =
      handle && api.any.test(handle) ? [{ handle, title: handle, sizes: { One: { eur: 1, stock: 1 } } }] : samples;
    const words = query.get('q')?.toLowerCase();
    // The samples are ordered by their creation, newest first.
    const ordered = query.get('order') === 'title' ? all.toSorted((a, b) => (a.title < b.title ? -1 : 1)) : all;
    return ordered
      .filter(({ title, description = '' }) => !words || `${title} ${description}`.toLowerCase().includes(words))
      .filter((sample) => !handle || sample.handle === handle)
      .filter(
        (sample) =>
          !wanted.length ||
          categories.some(({ id, handle }) => wanted.includes(id) && sample.categories?.includes(handle)),
      )
      .filter(
        (sample) =>
          !query.has('collection_id') ||
          collections.some(({ id, handle }) => id === query.get('collection_id') && handle === sample.collection),
      )
      .map((sample) => product(sample, Math.max(0, samples.indexOf(/** @type {Sample} */ (sample))), currency));
  }

  function product(/** @type {Sample} */ sample, /** @type {number} */ index, /** @type {'eur' | 'usd'} */ currency) {
    const option = { id: `opt_${index}`, title: 'Size', product_id: `prod_${index}` };
    const images = (sample.pictures ?? []).map((name, rank) => ({
      id: `img_${index}_${rank}`,
      url: `${publicUrl}/static/${encodeURIComponent(name)}`,
      rank,
    }));
    return {
      id: `prod_${index}`,
      handle: sample.handle,
      title: sample.title,
      subtitle: sample.subtitle ?? null,
      description: sample.description ?? null,
      material: sample.material ?? null,
      thumbnail: images[0]?.url ?? null,
      images,
      collection_id: sample.collection ? 'pcol_1' : null,
      collection: sample.collection ? collections[0] : null,
      categories: categories.filter(({ handle }) => sample.categories?.includes(handle)),
      options: [
        { ...option, values: Object.keys(sample.sizes).map((value) => ({ id: `optval_${index}_${value}`, value })) },
      ],
      variants: Object.entries(sample.sizes).map(([value, { stock = 0, before, ...prices }]) => ({
        id: `variant_${index}_${value.replaceAll(' ', '')}`,
        title: value,
        sku: `${sample.handle.toUpperCase()}-${value}`,
        manage_inventory: true,
        allow_backorder: false,
        inventory_quantity: stock,
        options: [{ id: `optval_${index}_${value}`, value, option_id: option.id, option }],
        calculated_price: {
          id: `pset_${index}_${value}`,
          is_calculated_price_price_list: before !== undefined,
          is_calculated_price_tax_inclusive: false,
          calculated_amount: prices[currency] ?? null,
          raw_calculated_amount: { value: String(prices[currency]), precision: 20 },
          is_original_price_price_list: false,
          original_amount: before ?? prices[currency] ?? null,
          currency_code: currency,
        },
      })),
    };
  }

  await api.listen();
  return api;
}
