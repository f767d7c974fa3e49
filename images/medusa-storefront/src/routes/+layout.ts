// Pages are links and forms: no script is sent to browsers.
export const csr = false;
