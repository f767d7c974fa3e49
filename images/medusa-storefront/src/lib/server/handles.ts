// The handles of the products for sale, for search engines: read page by page up to a limit, and cached for a long time.
import type { HttpTypes } from '@medusajs/types';
import { ask } from './api.ts';
import { Cache } from './cache.ts';

const PAGE = 200;
const MOST = 5_000;

const cache = new Cache({ fresh: 600_000, stale: 3_600_000, size: 1, pending: 1 });

export function handles(): Promise<string[]> {
  return cache.get('handles', async () => {
    const found: string[] = [];
    for (let offset = 0; offset < MOST; offset += PAGE) {
      const query = { fields: 'id,handle', order: '-id', limit: PAGE, offset };
      const { products } = await ask<HttpTypes.StoreProductListResponse>('/store/products', query);
      found.push(...products.map(({ handle }) => handle));
      if (products.length < PAGE) break;
    }
    return found;
  });
}
