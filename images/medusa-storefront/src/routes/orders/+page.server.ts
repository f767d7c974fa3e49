// Finds an order by its number and e-mail address.
import { fail } from '@sveltejs/kit';
import { lookUp } from '#lib/server/orders.ts';
import { attempt } from '#lib/server/trouble.ts';
import type { Actions } from './$types';

export const actions: Actions = {
  // Not in the URL: e-mail addresses must not get into logs and histories.
  default: async ({ request, getClientAddress }) => {
    const form = await request.formData();
    const email = String(form.get('email') ?? '')
      .trim()
      .slice(0, 320);
    const number = String(form.get('number') ?? '')
      .trim()
      .replace(/^#/, '')
      .slice(0, 20);
    const values = { email, number };
    if (!email || !/^[1-9]\d{0,8}$/.test(number)) return fail(400, { trouble: 'fields' as const, values });
    const { failed, done } = await attempt(values, () => lookUp(Number(number), email, getClientAddress()));
    if (failed) return failed;
    if (!done) return fail(404, { trouble: 'nothing' as const, values });
    return { found: done, values };
  },
};
