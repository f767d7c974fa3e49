// What a person does in the dashboard, by what they see: names of links, buttons and fields, never markup.
import { expect, type Locator, type Page } from '@playwright/test';

/** The mark of the store's status beside its name. */
export function status(page: Page): Locator {
  return page.getByRole('main').getByRole('status').filter({ hasText: 'This store:' });
}

/** Fills in the form and makes the store; returns its id once its page is there. */
export async function createStore(page: Page, name: string): Promise<string> {
  await page.goto('/ui/stores/new');
  await page.getByLabel('Name', { exact: false }).first().fill(name);
  await expect(page.getByText('All good: this can be created.')).toBeVisible();
  await page.getByRole('button', { name: 'Create store' }).click();
  await page.waitForURL(/\/ui\/stores\/(?!new)[^/]+$/);
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  return new URL(page.url()).pathname.split('/').at(-1)!;
}

/** Opens one of the store's tabs. */
export async function openTab(page: Page, name: 'Overview' | 'Timeline' | 'Logs' | 'Objects' | 'Settings' | 'History') {
  await page.getByRole('navigation', { name: 'Parts of this store' }).getByRole('link', { name }).click();
}

/** Deletes the store whose page is open, by typing its name; ends when it is gone. */
export async function deleteStore(page: Page, name: string) {
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete this store?' });
  const confirm = dialog.getByRole('button', { name: 'Delete for good' });
  await expect(confirm).toBeDisabled();
  await dialog.getByLabel('to confirm').fill(name);
  await confirm.click();
  await expect(page.getByRole('heading', { name: `${name} is gone` })).toBeVisible();
}
