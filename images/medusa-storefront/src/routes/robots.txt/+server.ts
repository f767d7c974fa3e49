// Search engines may read everything.
export const GET = () =>
  new Response('User-agent: *\nDisallow: /region\n', { headers: { 'content-type': 'text/plain' } });
