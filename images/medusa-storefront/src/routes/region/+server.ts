// Remembers the region that a visitor chose and leads back to the page they were on.
import { error, redirect } from '@sveltejs/kit';
import { ApiError } from '#lib/server/api.ts';
import { currentCart, updateCart } from '#lib/server/cart.ts';
import { regions } from '#lib/server/catalogue.ts';
import { back } from '#lib/server/back.ts';
import { COOKIE } from '#lib/server/region.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ request, cookies, url, locals }) => {
  const form = await request.formData();
  const region = (await regions()).find(({ id }) => id === form.get('region')) ?? error(400);
  const cart = await currentCart({ cookies, locals });
  if (cart && cart.region !== region.id) {
    try {
      await updateCart(cart.id, { region_id: region.id });
    } catch (failure) {
      // Prices of two currencies must not meet: the region stays what the cart's is.
      if (failure instanceof ApiError) redirect(303, '/cart?trouble=region');
      throw failure;
    }
  }
  // Browsers refuse secure cookies over plain HTTP, where a store on a local domain lives.
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, region.id, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'lax', secure });
  redirect(303, back(form, url));
};
