// Measures a product page of two storefronts in turns and prints ratios: compare.mjs OURS PEER PEER_PID.
import autocannon from 'autocannon';
import { chromium } from 'playwright-core';
import { readFileSync, readdirSync, readlinkSync as readlink } from 'node:fs';

const [ours, peer, peerPid] = process.argv.slice(2);
const HANDLE = 'dot-grid-notebook';
const shops = [
  { name: 'urumi', url: `${ours}/products/${HANDLE}`, pid: listener(new URL(ours).port) },
  { name: 'dtc-starter', url: `${peer}/de/products/${HANDLE}`, pid: Number(peerPid) },
];

/** The process that listens on a TCP port of this machine. */
function listener(port) {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'));
  const inode = lines.map((line) => line.trim().split(/\s+/)).find((f) => f[3] === '0A' && f[1]?.endsWith(`:${hex}`))?.[9];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (readlink(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`) return Number(pid);
      }
    } catch {
      // It has ended, or is somebody else's.
    }
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** Resident memory of a process and all below it, in MB. */
function memory(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  return own + children.reduce((sum, child) => sum + memory(child), 0);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function ttfb(url) {
  const asked = performance.now();
  const response = await fetch(url);
  const ms = performance.now() - asked;
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  return ms;
}

/** Largest contentful paint as the browser itself reports it, of a first visit on a phone's screen and a quarter of its CPU. */
async function paint(browser, url) {
  const context = await browser.newContext({ viewport: { width: 412, height: 839 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await session.send('Network.enable');
  const mbit = (1.6e6 / 8) * 1;
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: mbit, uploadThroughput: mbit });
  await page.goto(url, { waitUntil: 'networkidle' });
  const ms = await page.evaluate(
    () =>
      new Promise((resolve) =>
        new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({ type: 'largest-contentful-paint', buffered: true }),
      ),
  );
  await context.close();
  return ms;
}

for (const shop of shops) {
  for (let n = 0; n < 50; n++) {
    try {
      await ttfb(shop.url);
    } catch (error) {
      if (n === 49) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  Object.assign(shop, { rest: memory(shop.pid), ttfbs: [], paints: [], rates: [] });
}
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (let round = 0; round < 5; round++) {
  for (const shop of shops) {
    for (let n = 0; n < 40; n++) shop.ttfbs.push(await ttfb(shop.url));
    shop.paints.push(await paint(browser, shop.url));
    const load = await autocannon({ url: shop.url, connections: 10, duration: 4 });
    if (load.non2xx || load.errors) throw new Error(`${shop.name}: ${load.non2xx} answers without success, ${load.errors} errors`);
    shop.rates.push(load.requests.average);
  }
}
await browser.close();

const [us, them] = shops.map((shop) => ({
  'time to first byte, ms': median(shop.ttfbs),
  'largest contentful paint, ms': median(shop.paints),
  'requests a second': median(shop.rates),
  'memory at rest, MB': shop.rest,
  'memory after load, MB': memory(shop.pid),
}));
console.log(`| product page | ${shops[0].name} | ${shops[1].name} | ratio |\n|---|---|---|---|`);
for (const what of Object.keys(us)) console.log(`| ${what} | ${us[what].toFixed(1)} | ${them[what].toFixed(1)} | ${(us[what] / them[what]).toFixed(2)} |`);
