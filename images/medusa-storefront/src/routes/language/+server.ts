// Stores the visitor's language in a cookie and redirects to the page with the form.
import { error, redirect } from '@sveltejs/kit';
import { back } from '#lib/server/back.ts';
import { COOKIE, isLanguage } from '#lib/server/language.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ request, cookies, url }) => {
  const form = await request.formData();
  const language = form.get('language');
  if (!isLanguage(language)) error(400);
  // Browsers reject secure cookies over plain HTTP, which stores on a local domain use.
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, language, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'lax', secure });
  redirect(303, back(form, url));
};
