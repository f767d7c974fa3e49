// Pages consist of links and forms: SvelteKit sends no script to browsers.
export const csr = false;
