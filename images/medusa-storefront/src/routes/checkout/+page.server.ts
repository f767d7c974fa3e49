// First step: e-mail address and delivery address.
import { fail, redirect } from '@sveltejs/kit';
import type { Address } from '#lib/purchase.ts';
import { regions } from '#lib/server/catalogue.ts';
import { updateCart } from '#lib/server/cart.ts';
import { cartAt, unlessAnswering } from '#lib/server/checkout.ts';
import { currentRegion } from '#lib/server/region.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const cart = await unlessAnswering(event, () => cartAt(event, '/checkout'));
  const region = cart && (await regions()).find(({ id }) => id === cart.region);
  return { cart, countries: (region ?? (await currentRegion(event.cookies))).countries };
};

const required = ['first_name', 'last_name', 'address_1', 'postal_code', 'city', 'country_code'] as const;
const optional = ['company', 'address_2', 'province', 'phone'] as const;

export const actions: Actions = {
  default: async (event) => {
    const form = await event.request.formData();
    const text = (name: string) =>
      String(form.get(name) ?? '')
        .trim()
        .slice(0, 200);
    const values = Object.fromEntries(['email', ...required, ...optional].map((name) => [name, text(name)]));
    const missing: string[] = required.filter((name) => !values[name]);
    // Medusa's check of e-mail addresses is stricter and decides.
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(values.email ?? '')) missing.unshift('email');
    if (values.country_code && !/^[a-z]{2}$/.test(values.country_code)) missing.push('country_code');
    if (missing.length) return fail(400, { trouble: 'fields' as const, missing, values });

    const { email, ...address } = values;
    const { failed } = await attempt(values, async () => {
      const cart = await cartAt(event, '/checkout');
      const to = address as unknown as Address;
      await updateCart(cart.id, { email, shipping_address: to, billing_address: to });
    });
    if (failed) return failed;
    redirect(303, '/checkout/shipping');
  },
};
