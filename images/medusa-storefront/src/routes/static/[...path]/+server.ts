// Forwards pictures of the API, and nothing else, so that pages need no other origin.
import { MEDUSA_BACKEND_URL } from '$app/env/private';
import { error } from '@sveltejs/kit';
import { ApiError } from '#lib/server/api.ts';
import { upstream } from '#lib/server/pictures.ts';
import type { RequestHandler } from './$types';

const TIMEOUT = 30_000;
const asked = ['if-none-match', 'if-modified-since'];
const answered = ['content-type', 'content-length', 'etag', 'last-modified'];

const copy = (from: Headers, names: string[]) => {
  return names.flatMap((name): [string, string][] => {
    const value = from.get(name);
    return value === null ? [] : [[name, value]];
  });
};

export const GET: RequestHandler = async ({ params, request }) => {
  const path = upstream(params.path) ?? error(404);
  let answer;
  try {
    answer = await fetch(MEDUSA_BACKEND_URL + path, {
      method: request.method,
      // fetch decompresses the body, which would then not match its length and tag.
      headers: [['accept-encoding', 'identity'], ...copy(request.headers, asked)],
      redirect: 'manual',
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT)]),
    });
  } catch (cause) {
    throw new ApiError(cause);
  }
  const picture = answer.headers.get('content-type')?.startsWith('image/');
  if (answer.status !== 304 && !(answer.ok && picture)) {
    await answer.body?.cancel();
    error(answer.status >= 500 ? 502 : 404);
  }
  return new Response(answer.body, {
    status: answer.status,
    headers: [
      ...copy(answer.headers, answered),
      ['cache-control', 'public, max-age=3600, stale-while-revalidate=86400'],
      // An SVG may contain scripts, which must not run in the shop's origin.
      ['content-security-policy', "default-src 'none'; sandbox"],
    ],
  });
};

export const HEAD = GET;
