// Where a form of the frame leads afterwards: the page it was on.

/** Only ever a page of our own, whatever the form says. */
export function back(form: FormData, url: URL): string {
  const to = URL.parse(String(form.get('to') ?? '/'), url);
  return to?.origin === url.origin ? to.pathname.replace(/^\/+/, '/') + to.search : '/';
}
