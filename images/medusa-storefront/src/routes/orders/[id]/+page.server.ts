// An order, for anyone who knows its id; the checkout redirects here.
import { error } from '@sveltejs/kit';
import { order } from '#lib/server/orders.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ params }) => {
  return { order: (await order(params.id)) ?? error(404) };
};
