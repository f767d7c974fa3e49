// What each test gets: a server of its own, a proxy before it, and pages that must be free of errors.
import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test';
import { Proxy } from './proxy.ts';
import { Urumi } from './urumi.ts';

interface Options {
  /** Flags of the test's urumi-http. */
  flags: string[];
  /** Whether the dashboard is served by a replica of its own, before the API. */
  apart: boolean;
}

interface Fixtures {
  urumi: Urumi;
  /** What is between browser and server. */
  line: Proxy;
  /** What browsers may complain of in this test, since the test is about it. */
  allowed: RegExp | null;
  /** A further browser, as watchful as `page`. */
  visitor: (options?: BrowserContextOptions) => Promise<Page>;
}

export const test = base.extend<Fixtures & Options>({
  flags: [[], { option: true }],
  apart: [false, { option: true }],
  allowed: async ({}, use) => use(null),

  urumi: async ({ flags }, use, info) => {
    const urumi = new Urumi(flags);
    await urumi.start();
    await use(urumi);
    await urumi.stop();
    if (info.status !== info.expectedStatus) console.log(`the server's log:\n${urumi.log.slice(-20_000)}`);
  },
  line: async ({ urumi, apart }, use, info) => {
    const replica = apart ? new Urumi(['--api-url', urumi.url], 'dashboard') : undefined;
    await replica?.start();
    const proxy = new Proxy(() => (replica ?? urumi).url);
    await proxy.start();
    await use(proxy);
    await proxy.stop();
    await replica?.stop();
    if (replica && info.status !== info.expectedStatus) console.log(`the replica's log:\n${replica.log.slice(-5_000)}`);
  },
  baseURL: async ({ line }, use) => use(line.url),

  context: async ({ context, allowed, baseURL }, use) => {
    const problems = await watch(context, baseURL!);
    await use(context);
    check(problems, allowed);
  },
  visitor: async ({ browser, allowed, baseURL, contextOptions, locale, timezoneId, viewport }, use) => {
    const all: { context: BrowserContext; problems: string[] }[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ ...contextOptions, locale, timezoneId, viewport, baseURL, ...options });
      all.push({ context, problems: await watch(context, baseURL!) });
      return context.newPage();
    });
    for (const { context, problems } of all) {
      await context.close();
      check(problems, allowed);
    }
  },
});

export { expect };

/** Notes what a page must never do: errors, what its Content-Security-Policy refuses, questions to somebody else. */
async function watch(context: BrowserContext, origin: string): Promise<string[]> {
  const problems: string[] = [];
  context.on('weberror', (error) => problems.push(`error: ${error.error().stack ?? error.error()}`));
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol.startsWith('http')) problems.push(`asks somebody else: ${request.url()}`);
  });
  context.on('dialog', (dialog) => {
    if (dialog.type() === 'beforeunload') return;
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await context.exposeFunction('reportViolation', (text: string) => problems.push(`refused by CSP: ${text}`));
  await context.addInitScript(() => {
    const report = (window as unknown as { reportViolation(text: string): void }).reportViolation;
    document.addEventListener('securitypolicyviolation', (event) => report(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return problems;
}

function check(problems: string[], allowed: RegExp | null) {
  expect(problems.filter((problem) => !allowed?.test(problem))).toEqual([]);
}

/** What axe finds wrong on a page. */
export async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** What a browser says of connections that end: the tests that cut them allow it. */
export const CUT = /net::ERR_|status of 50[23]/;
/** How a browser tells of answers that are no success. */
export const answered = (...statuses: number[]) => new RegExp(`status of (${statuses.join('|')})`);
