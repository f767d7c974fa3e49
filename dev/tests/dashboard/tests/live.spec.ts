// Live, polling, offline and back: what is seen is always said to be what it is, and no change is lost.
import { CUT, expect, test } from './fixture.ts';

test.use({ flags: ['--memory-ready-after', '10ms'], allowed: CUT });

const empty = 'No stores yet';

test('polls while the watch is cut, is live again after, and loses nothing', async ({ page, urumi, line }) => {
  await page.goto('/ui/stores');
  const liveness = page.getByRole('banner').getByRole('status');
  await expect(liveness).toContainText('Live');
  const first = await urumi.create('Before');
  await expect(page.getByRole('link', { name: 'Before', exact: true })).toBeVisible();

  line.block('/watch');
  await expect(liveness).toContainText('Polling');
  await urumi.create('Meanwhile');
  await urumi.ask('DELETE', `/stores/${first.id}`);
  await expect(page.getByRole('link', { name: 'Meanwhile', exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Before', exact: true })).toHaveCount(0);

  // What happens between the last poll and the new watch is not lost either.
  line.block('/stores');
  await expect(liveness).toContainText('Offline');
  await urumi.create('Unseen');
  line.unblock();
  await expect(liveness).toContainText('Live');
  for (const name of ['Meanwhile', 'Unseen']) await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  await urumi.create('Afterwards');
  await expect(page.getByRole('link', { name: 'Afterwards', exact: true })).toBeVisible();
});

test('a watch that is cut for a moment comes back with what it missed, and needs no poll', async ({ page, urumi, line }) => {
  await page.goto('/ui/stores');
  const liveness = page.getByRole('banner').getByRole('status');
  await expect(liveness).toContainText('Live');
  await urumi.create('One');
  await expect(page.getByRole('link', { name: 'One', exact: true })).toBeVisible();
  const watches = () => line.seen.filter((asked) => asked.startsWith('GET /watch')).length;
  const polls = () => line.seen.filter((asked) => asked.startsWith('GET /stores')).length;
  const [before, polled] = [watches(), polls()];
  line.cut('/watch');
  await urumi.create('Two');
  await expect(page.getByRole('link', { name: 'Two', exact: true })).toBeVisible();
  await expect(liveness).toContainText('Live');
  expect(watches()).toBe(before + 1);
  expect(polls()).toBe(polled);
});

test('a server that is killed and comes back without its stores is told as it is', async ({ page, urumi }) => {
  await page.goto('/ui/stores');
  const liveness = page.getByRole('banner').getByRole('status');
  await urumi.create('In memory only');
  await expect(page.getByRole('link', { name: 'In memory only', exact: true })).toBeVisible();
  await urumi.stop('SIGKILL');
  await expect(liveness).toContainText('Offline');
  // What was last known stays in sight.
  await expect(page.getByRole('link', { name: 'In memory only', exact: true })).toBeVisible();
  await urumi.start();
  await expect(liveness).toContainText('Live');
  await expect(page.getByText(empty)).toBeVisible();
  await urumi.create('After the restart');
  await expect(page.getByRole('link', { name: 'After the restart', exact: true })).toBeVisible();
});

test('a browser that wakes up asks at once', async ({ page, context, urumi }) => {
  await page.goto('/ui/stores');
  const liveness = page.getByRole('banner').getByRole('status');
  await expect(liveness).toContainText('Live');
  await context.setOffline(true);
  await urumi.create('While asleep');
  await context.setOffline(false);
  await expect(page.getByRole('link', { name: 'While asleep', exact: true })).toBeVisible();
  await expect(liveness).toContainText('Live');
});
