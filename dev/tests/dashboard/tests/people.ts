// Somebody who may do everything, and somebody who may only look: who they are, and how they sign in.
import { writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { answered, CUT, test as base } from './fixture.ts';
import { makeToken } from './urumi.ts';

export async function signIn(page: Page, token: string) {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

export const test = base.extend<{ people: { admin: string; viewer: string; revoke(): Promise<void> } }>({
  // Chromium tells of each refusal; the tests are about them.
  allowed: new RegExp(`${CUT.source}|${answered(401, 403).source}`),
  people: async ({}, use, info) => {
    const admin = await makeToken('root', 'admin');
    const viewer = await makeToken('vera', 'viewer', ['shops']);
    const file = info.outputPath('tokens.yaml');
    await writeFile(file, admin.entry + viewer.entry, { mode: 0o600 });
    await use({ admin: admin.token, viewer: viewer.token, revoke: () => writeFile(file, admin.entry) });
  },
  flags: async ({ people: _ }, use, info) => use(['--memory-ready-after', '10ms', '--tokens-file', info.outputPath('tokens.yaml')]),
});
