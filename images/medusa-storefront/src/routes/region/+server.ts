// Stores the visitor's region in a cookie and redirects to the page with the form.
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
      // A cart must not mix currencies: if the change fails, the region stays the cart's.
      if (failure instanceof ApiError) redirect(303, '/cart?trouble=region');
      throw failure;
    }
  }
  // Browsers reject secure cookies over plain HTTP, which stores on a local domain use.
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, region.id, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'lax', secure });
  redirect(303, back(form, url));
};
