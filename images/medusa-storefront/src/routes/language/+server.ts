// Remembers the language that a visitor chose and leads back to the page they were on.
import { error, redirect } from '@sveltejs/kit';
import { back } from '#lib/server/back.ts';
import { COOKIE, isLanguage } from '#lib/server/language.ts';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ request, cookies, url }) => {
  const form = await request.formData();
  const language = form.get('language');
  if (!isLanguage(language)) error(400);
  // Browsers refuse secure cookies over plain HTTP, where a store on a local domain lives.
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, language, { path: '/', maxAge: 365 * 24 * 3600, sameSite: 'lax', secure });
  redirect(303, back(form, url));
};
