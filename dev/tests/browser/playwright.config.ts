// One browser, Debian's Chromium, against the shop in SHOP_URL.
import { defineConfig } from '@playwright/test';

const { SHOP_URL, CHROMIUM = '/usr/bin/chromium', SHOP_ADDRESS, BROWSER_OUTPUT = 'output', CI } = process.env;
if (!SHOP_URL) throw new Error('SHOP_URL is not set: dev/tests/browser/run sets it');

export default defineConfig({
  testDir: 'tests',
  outputDir: `${BROWSER_OUTPUT}/traces`,
  forbidOnly: Boolean(CI),
  // One at a time: browser, shop and database share this machine, and one of the tests measures.
  workers: 1,
  timeout: 300_000,
  expect: { timeout: 60_000 },
  reporter: [['list']],
  use: {
    baseURL: SHOP_URL,
    locale: 'en-GB',
    actionTimeout: 30_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: CHROMIUM,
      // The sandbox does not work for root. Hosts are resolved to SHOP_ADDRESS where the shop has no name in DNS.
      args: ['--no-sandbox', ...(SHOP_ADDRESS ? [`--host-resolver-rules=MAP * ${SHOP_ADDRESS}`] : [])],
    },
  },
});
