// The links that a browser may prefetch while the pointer is over them: products and lists, which have no side effects.
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
