// Whether this replica can serve visitors, and if not, why.
import { unready } from '#lib/server/readiness.ts';

export const GET = async () => {
  const reason = await unready();
  const body = reason ? { status: 'unavailable', reason } : { status: 'ok' };
  return Response.json(body, { status: reason ? 503 : 200, headers: { 'cache-control': 'no-store' } });
};
