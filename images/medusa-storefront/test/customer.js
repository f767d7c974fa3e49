// A customer without JavaScript: follows redirects, keeps cookies, fills in the page's forms.
const ORIGIN = 'https://store-1.stores.test';

/** The decoded value of a tag's attribute. */
const attribute = (/** @type {string} */ tag, /** @type {string} */ name) =>
  new RegExp(`\\b${name}="([^"]*)"`)
    .exec(tag)?.[1]
    ?.replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');

/** @param {any} app @param {{ origin?: string, proxied?: Record<string, string> }} [options] `proxied`: headers of a proxy */
export function customer(app, { origin = ORIGIN, proxied = {} } = {}) {
  /** @type {Map<string, string>} */
  const cookies = new Map();
  /** @type {{ status: number, text: string, path: string, headers: any }} */
  let page = { status: 0, text: '', path: '/', headers: {} };

  async function go(/** @type {string} */ path, /** @type {any} */ options = {}) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...proxied, ...(cookie && { cookie }), ...options.headers };
    const { status, headers: answered, text } = await app.get(path, { ...options, headers });
    for (const line of answered['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    page = { status, text, path, headers: answered };
    if (status === 303) return go(new URL(answered.location, origin + path.split('?')[0]).href.slice(origin.length));
    return page;
  }

  return {
    cookies,
    go,
    page: () => page,
    /** Goes back to an earlier page. */
    show(/** @type {typeof page} */ before) {
      page = before;
    },
    /** The action and the values of the form with this field. */
    form(/** @type {string} */ field) {
      const [form] = (page.text.match(/<form[^>]*method="post".*?<\/form>/gs) ?? []).filter((one) =>
        one.includes(`name="${field}"`),
      );
      if (!form) return undefined;
      /** @type {Record<string, string>} */
      const values = {};
      for (const tag of form.match(/<input[^>]*>/g) ?? []) {
        const name = attribute(tag, 'name');
        if (name && (attribute(tag, 'type') !== 'radio' || / checked/.test(tag)))
          values[name] = attribute(tag, 'value') ?? '';
      }
      for (const [, name, options] of form.matchAll(/<select[^>]*name="([^"]+)".*?>(.*?)<\/select>/gs)) {
        values[/** @type {string} */ (name)] =
          /value="([^"]*)" selected/.exec(/** @type {string} */ (options))?.[1] ?? '';
      }
      return { action: attribute(/** @type {string} */ (form.match(/<form[^>]*>/)?.[0]), 'action') ?? '', values };
    },
    /** Sends the form that has `field`, with the entered values. */
    send(/** @type {string} */ field, /** @type {Record<string, string>} */ entered = {}) {
      const form = this.form(field);
      if (!form) throw new Error(`no form with ${field} on ${page.path} (${page.status}): ${page.text}`);
      const path = new URL(form.action, origin + page.path);
      return go(path.pathname + (form.action ? path.search : ''), {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ...form.values, ...entered }).toString(),
      });
    },
  };
}

export const anna = {
  email: 'anna@example.com',
  first_name: 'Anna',
  last_name: 'Schmidt',
  address_1: 'Hauptstraße 1',
  postal_code: '10115',
  city: 'Berlin',
  country_code: 'de',
};
