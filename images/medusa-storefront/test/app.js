// Runs the built app like its image, and waits for conditions.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { KEY } from './medusa.js';

if (!process.env.STOREFRONT_APP) throw new Error('STOREFRONT_APP must name the built app: use test/run');
const entrypoint = join(process.env.STOREFRONT_APP, 'entrypoint.js');

/** @param {string[]} words @param {Record<string, string>} env */
export function run(words, env) {
  const child = spawn(process.execPath, [entrypoint, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(([code]) => /** @type {number} */ (code));
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
  return { child, ended, said };
}

/** @param {Record<string, string>} env */
export async function start(env) {
  const { child, ended, said } = run(['start'], {
    NODE_ENV: 'production',
    MEDUSA_PUBLIC_URL: 'https://api-1.stores.test',
    STOREFRONT_URL: 'https://store-1.stores.test',
    MEDUSA_PUBLISHABLE_KEY: KEY,
    STORE_NAME: 'Harbour & Sons',
    HOST: '127.0.0.1',
    PORT: '0',
    ...env,
  });
  const lines = () =>
    said.out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const exited = ended.then((code) => {
    throw new Error(`the app ended with ${code}: ${said.err}`);
  });
  exited.catch(() => {});
  const port = await Promise.race([until(() => lines().find(({ message }) => message === 'listening')?.port), exited]);
  return {
    child,
    ended,
    said,
    lines,
    port,
    url: `http://127.0.0.1:${port}`,
    /**
     * A request whose path is sent unchanged.
     * @param {string} path @param {{ method?: string, headers?: Record<string, string>, body?: string }} [options]
     */
    get: (path, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const sent = request({ port, path, method, headers, agent: false }, async (response) => {
          const chunks = [];
          for await (const chunk of response) chunks.push(chunk);
          const bytes = Buffer.concat(chunks);
          resolve({ status: response.statusCode, headers: response.headers, bytes, text: bytes.toString() });
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/**
 * Polls until the result is truthy; fails after ten seconds.
 * @template T @param {() => T | Promise<T>} ask @returns {Promise<Exclude<NonNullable<T>, false>>}
 */
export async function until(ask) {
  for (const end = Date.now() + 10_000; ;) {
    const answer = await ask();
    if (answer) return /** @type {any} */ (answer);
    if (Date.now() > end) throw new Error(`waited in vain for ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
