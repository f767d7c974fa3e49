// An order, for whoever knows its id: the confirmation leads here.
import { error } from '@sveltejs/kit';
import { order } from '#lib/server/orders.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ params }) => {
  return { order: (await order(params.id)) ?? error(404) };
};
