// The page to return to after a form in the frame was sent: the page with the form.

/** Always a page of our own, whatever the form contains. */
export function back(form: FormData, url: URL): string {
  const to = URL.parse(String(form.get('to') ?? '/'), url);
  return to?.origin === url.origin ? to.pathname.replace(/^\/+/, '/') + to.search : '/';
}
