// One browser, Debian's Chromium, against servers that the tests start themselves.
import { defineConfig } from '@playwright/test';

const { CHROMIUM = '/usr/bin/chromium', BROWSER_OUTPUT = 'output', CI, DASHBOARD_ADDRESS, DASHBOARD_URL, SCREENSHOTS, URUMI_TEST_KUBECONFIG } = process.env;

const alone = /lighthouse|thousand/;
const elsewhere = /elsewhere/;
const projects = DASHBOARD_URL
  ? [{ name: 'elsewhere', testMatch: elsewhere, use: { baseURL: DASHBOARD_URL } }]
  : SCREENSHOTS
  ? [{ name: 'screenshots', testMatch: /screenshots/ }]
  : URUMI_TEST_KUBECONFIG
    ? [{ name: 'kube', testIgnore: [alone, elsewhere, /screenshots/], grep: /@kube/ }]
    : [
        { name: 'memory', testIgnore: [alone, elsewhere, /screenshots/] },
        // What measures has the machine for itself.
        { name: 'alone', testMatch: alone, dependencies: ['memory'], workers: 1 },
      ];

export default defineConfig({
  testDir: 'tests',
  // Playwright empties this folder when it starts: what may run side by side has folders of its own.
  outputDir: `${BROWSER_OUTPUT}/traces/${projects[0].name}`,
  forbidOnly: Boolean(CI),
  fullyParallel: true,
  workers: 2,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 800 },
    actionTimeout: 20_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: CHROMIUM,
      // The sandbox does not work for root. Hosts are resolved to DASHBOARD_ADDRESS where the dashboard has no name in DNS.
      args: ['--no-sandbox', ...(DASHBOARD_ADDRESS ? [`--host-resolver-rules=MAP * ${DASHBOARD_ADDRESS}`] : [])],
    },
  },
  projects,
});
