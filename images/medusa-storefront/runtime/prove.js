// Proof of life: exits 0 as soon as the storefront shows its first page and the API lists a region.
import { end } from './termination.js';
import { trouble } from './trouble.js';

const started = performance.now();
/** How long both may be unreachable. Long, because many shops may start at once on a busy node. */
const patience = Number(process.env.PROVE_TIMEOUT_SECONDS || 600) * 1000;
/** How long wrong answers are tolerated. */
const tolerance = Math.min(patience, 15_000);
const storefront = required('PROVE_STOREFRONT_URL');
const api = required('PROVE_API_URL');
const key = required('MEDUSA_PUBLISHABLE_KEY');

// Process 1 of a container ignores signals unless it has a handler.
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) process.once(signal, () => process.exit(143));

/** @param {string} name */
function required(name) {
  const value = process.env[name];
  if (!value) return end(`proof of life cannot begin: ${name} is not set`, 1);
  return value.replace(/\/+$/, '');
}

/** The time of the first wrong answer; undefined while the answers are right, or there are none. */
/** @type {number | undefined} */
let wrongSince;
const remaining = () => (wrongSince === undefined ? started + patience : wrongSince + tolerance) - performance.now();

/**
 * @param {string} who
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {(response: Response) => Promise<string | undefined>} judge returns what is wrong with the answer, if anything
 */
async function step(who, url, headers, judge) {
  try {
    const signal = AbortSignal.timeout(Math.ceil(Math.max(1, Math.min(5000, remaining()))));
    const wrong = await judge(await fetch(url, { headers, signal, redirect: 'manual' }));
    return wrong && { sentence: `${who} ${wrong}`, answered: true };
  } catch (error) {
    return { sentence: `${who} ${trouble(error)}`, answered: false };
  }
}

const attempt = async () => {
  const [page, regions] = await Promise.all([
    step(`the storefront at ${storefront}`, `${storefront}/`, { accept: 'text/html' }, async (response) => {
      const html = await response.text();
      if (response.status !== 200) return `answers ${response.status} to GET /`;
      if (!response.headers.get('content-type')?.startsWith('text/html') || !html) return 'answers GET / without HTML';
    }),
    step(
      `the API at ${api}`,
      `${api}/store/regions?limit=1`,
      { accept: 'application/json', 'x-publishable-api-key': key },
      async (response) => {
        if (response.status === 400 || response.status === 401) {
          return `answers ${response.status} to GET /store/regions: it does not accept the publishable key`;
        }
        if (response.status !== 200) return `answers ${response.status} to GET /store/regions`;
        const { regions } = /** @type {{ regions?: unknown[] }} */ (await response.json());
        if (!regions?.length) return 'lists no region';
      },
    ),
  ]);
  // The API first, because the storefront fails without it.
  return regions ?? page;
};

for (let pause = 250; ; pause = Math.min(pause * 1.5, 1000)) {
  const wrong = await attempt();
  if (!wrong) break;
  wrongSince = wrong.answered ? (wrongSince ?? performance.now()) : undefined;
  if (remaining() <= pause) {
    const seconds = Math.round((wrong.answered ? tolerance : patience) / 1000);
    end(`proof of life failed after ${seconds} s: ${wrong.sentence}`, 1);
  }
  await new Promise((resolve) => setTimeout(resolve, pause));
}
console.log(`proof of life after ${Math.round(performance.now() - started)} ms`);
process.exit(0);
