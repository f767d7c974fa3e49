// Serves the built storefront over HTTP: fixed public origin, security headers, one log line per request, clean shutdown.
import { createServer } from 'node:http';
import { end } from './termination.js';

/** How long open requests may take after SIGTERM, in ms: less than the rest of the pod's grace period, 27 s. */
const GRACE = Number(process.env.STOP_SECONDS || 25) * 1000;

/**
 * Headers of all answers. The Content-Security-Policy is not among them: a browser replaces the headers of a cached page
 * by those of a "not modified" answer, and the page would lose its own policy.
 */
const headers = Object.entries({
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-content-type-options': 'nosniff',
});

/**
 * @param {string} level
 * @param {Record<string, unknown>} fields
 */
function log(level, fields) {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...fields })}\n`);
}

const port = Number(process.env.PORT || 8000);
if (!Number.isInteger(port) || port < 0 || port > 65535)
  end('the storefront cannot start: PORT must be a port number', 1);

// Links, cookies and the check of a form's origin must not depend on headers of clients or proxies. The adapter reads scheme
// and host from these two headers, which are overwritten below. The visitor's address is the
// last one in X-Forwarded-For, which the proxy adds; the visitor can write the ones before it.
Object.assign(process.env, { PROTOCOL_HEADER: 'x-forwarded-proto', HOST_HEADER: 'host', PORT_HEADER: '' });
Object.assign(process.env, { ADDRESS_HEADER: 'x-forwarded-for', XFF_DEPTH: '1' });
process.env.BODY_SIZE_LIMIT = '64K';

/** @type {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse, next: () => void) => void} */
let handler;
try {
  // @ts-expect-error: exists only in the built app.
  ({ handler } = await import('../web/handler.js'));
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  // SvelteKit reports each invalid variable as "NAME", with "- reason" on the next line.
  const settings = [...text.matchAll(/^(\w+)\n\s+- (.+)$/gm)].map(([, name, what]) => `${name} ${what}`);
  end(`the storefront cannot start: ${settings.join(', ') || text.replace(/\s+/g, ' ')}`, 1);
}
const origin = new URL(/** @type {string} */ (process.env.STOREFRONT_URL));
const protocol = origin.protocol.slice(0, -1);
// Over plain HTTP, browsers ignore these, the first with a warning.
if (protocol === 'https') {
  headers.push(['cross-origin-opener-policy', 'same-origin'], ['strict-transport-security', 'max-age=31536000']);
}

let stopping = false;

const server = createServer((request, response) => {
  const started = performance.now();
  const { method, url = '' } = request;
  response.once('close', () => {
    const path = url.split('?', 1)[0]?.slice(0, 512);
    const { statusCode: status } = response;
    // Probes come every few seconds: log only failures.
    if (status === 200 && path?.startsWith('/health/')) return;
    const ms = Math.round(performance.now() - started);
    log(status < 500 ? 'info' : 'error', {
      method,
      path,
      status,
      ms,
      ...(!response.writableFinished && { aborted: true }),
    });
  });
  for (const [name, value] of headers) response.setHeader(name, value);
  if (stopping) response.setHeader('connection', 'close');
  request.headers.host = origin.host;
  request.headers['x-forwarded-proto'] = protocol;
  request.headers['x-forwarded-for'] ||= request.socket.remoteAddress;
  handler(request, response, () => response.writeHead(404).end());
});
server.requestTimeout = 30_000;
// Longer than the idle timeout of common proxies, so that the proxy closes idle connections.
server.keepAliveTimeout = 75_000;

server.once('error', (error) => end(`the storefront cannot listen on port ${port}: ${error.message}`, 1));
server.listen(port, process.env.HOST || '0.0.0.0', () => {
  const address = server.address();
  log('info', { message: 'listening', port: typeof address === 'object' ? address?.port : port });
});

for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    server.close(() => process.exit(0));
    setTimeout(() => server.closeAllConnections(), GRACE).unref();
  });
}
