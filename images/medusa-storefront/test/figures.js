// Measures the built app with the stand-in: time to ready, memory, and the CPU time of product pages.
// Usage: STOREFRONT_APP=DIR/app [NODE_OPTIONS=…] node test/figures.js [REQUESTS] (Linux; `./build DIR` makes DIR/app)
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { start, until } from './app.js';
import { goods, medusa } from './medusa.js';

const CONNECTIONS = 20;
const requests = Number(process.argv[2] ?? 1000);

/**
 * In MB: resident memory, its peak, and the process's own part, without Node's mapped binary.
 * @param {number} pid
 */
async function memory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mb = (/** @type {string} */ name) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { rss: mb('VmRSS'), most: mb('VmHWM'), own: mb('RssAnon') };
}

/** The CPU seconds that it has used. @param {number} pid */
async function processor(pid) {
  const [user, system] = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return (Number(user) + Number(system)) / 100;
}

const api = await medusa({ publicUrl: 'https://api-1.stores.test' });
const begun = performance.now();
const { NODE_OPTIONS = '' } = process.env;
const app = await start({ MEDUSA_BACKEND_URL: api.url, ...(NODE_OPTIONS && { NODE_OPTIONS }) });
await until(async () => (await app.get('/health/ready')).status === 200);
const ready = Math.round(performance.now() - begun);
const pid = /** @type {number} */ (app.child.pid);
await setTimeout(3000);
const rest = await memory(pid);

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const paths = goods.map(({ handle }) => `/products/${handle}`);
const one = (/** @type {string} */ path) =>
  new Promise((resolve, reject) => {
    get({ port: app.port, path, agent }, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
let left = requests;
const used = await processor(pid);
const loaded = performance.now();
await Promise.all(
  Array.from({ length: CONNECTIONS }, async () => {
    while (left-- > 0) await one(paths[left % paths.length] ?? '/');
  }),
);
const seconds = (performance.now() - loaded) / 1000;
const busy = await memory(pid);
const milliseconds = Math.round((((await processor(pid)) - used) / requests) * 1e5) / 100;
agent.destroy();
await setTimeout(10_000);
console.log(
  JSON.stringify({
    ready,
    rest,
    requests,
    'a second': Math.round(requests / seconds),
    'ms of a processor each': milliseconds,
    busy,
    after: await memory(pid),
  }),
);
await app.stop();
await api.close();
