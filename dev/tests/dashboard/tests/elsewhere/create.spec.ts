// A store made by clicks at a server that runs already (DASHBOARD_URL), after signing in where a token is given: its name, how it looks, and how much of it runs.
import { expect, test } from '@playwright/test';

const { DASHBOARD_TOKEN, STORE_NAME = 'Life', STORE_ID = 'life', STORE_ACCENT = '#0a7d4f', STORE_LOGO = '' } = process.env;

test('a store is made by clicks', async ({ page }) => {
  await page.goto('/ui/');
  if (DASHBOARD_TOKEN) {
    await page.getByLabel('Token').fill(DASHBOARD_TOKEN);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }
  await page.getByRole('link', { name: /^Create/ }).first().click();
  await page.getByLabel('Name').first().fill(STORE_NAME);
  await page.getByLabel('Short name in the address').fill(STORE_ID);
  await page.getByRole('textbox', { name: 'Accent colour' }).fill(STORE_ACCENT);
  if (STORE_LOGO) {
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Logo' }).click();
    await (await choosing).setFiles(STORE_LOGO);
    await expect(page.getByRole('img', { name: 'The chosen picture: Logo' })).toBeVisible();
  }
  // The groups of further options are collapsed at first.
  await page.getByRole('button', { name: /Show all \d+ groups of options/ }).click();
  await page.getByRole('button', { name: /^Storefront/ }).click();
  await page.getByRole('region', { name: /^Storefront/ }).getByLabel('Replicas').fill('2');
  await expect(page.getByText('All good: this can be created.')).toBeVisible();
  await page.getByRole('button', { name: 'Create store' }).click();
  await page.waitForURL(`**/ui/stores/${STORE_ID}`);
  await expect(page.getByRole('heading', { level: 1, name: STORE_NAME })).toBeVisible();
  await expect(page.getByText('Progress', { exact: true })).toBeVisible();
});
