// Which links a browser may fetch ahead while a pointer rests on them: products and lists, which change nothing.
const rules = {
  prefetch: [
    {
      where: { or: [{ href_matches: { pathname: '/products/*' } }, { href_matches: { pathname: '/' } }] },
      eagerness: 'moderate',
    },
  ],
};

export const GET = () =>
  new Response(JSON.stringify(rules), {
    headers: { 'content-type': 'application/speculationrules+json', 'cache-control': 'public, max-age=86400' },
  });
