// A thousand stores: a list that costs as much as one of twenty. Times are printed, not judged: machines differ.
import { expect, test } from './fixture.ts';
import type { Urumi } from './urumi.ts';

const COUNT = 1000;
// More rows than that are not needed to fill a screen and its surroundings.
const MOST_ROWS = 60;

// They need not become ready, and a server that was built to be debugged takes its time for so many.
const patience = ['--request-timeout', '5m', '--resync', '1h', '--deadline', '2h'];
test.use({ flags: ['--memory-ready-after', '1h', '--log', 'warn', ...patience] });

async function createMany(urumi: Urumi, count: number) {
  let next = 0;
  const worker = async () => {
    for (let number = next++; number < count; number = next++) await urumi.create(`Store ${number}`);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

test('a thousand stores are painted, scrolled, found and ordered', async ({ page, urumi }) => {
  test.setTimeout(900_000);
  const begun = performance.now();
  await createMany(urumi, COUNT);
  console.log(`${COUNT} stores were asked for within ${Math.round(performance.now() - begun)} ms`);

  await page.addInitScript(() => {
    const seen = window as unknown as { firstRows?: number };
    new MutationObserver(() => {
      if (seen.firstRows === undefined && document.querySelector('tbody a')) {
        requestAnimationFrame(() => setTimeout(() => (seen.firstRows ??= performance.now())));
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto('/ui/stores?sort=name');
  const table = page.getByRole('table', { name: 'Stores' });
  await expect(table).toHaveAttribute('aria-rowcount', String(COUNT + 1));
  const first = await page.waitForFunction(() => (window as unknown as { firstRows?: number }).firstRows);
  console.log(`first paint of ${COUNT} stores after ${Math.round((await first.jsonValue()) as number)} ms`);

  const scrolled = await page.evaluate(async () => {
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const reached = new Set<string>();
    const frames: number[] = [];
    let most = 0;
    let last = await frame();
    for (;;) {
      const rows = Array.from(document.querySelectorAll('tbody tr[aria-rowindex]'));
      most = Math.max(most, rows.length);
      for (const row of rows) reached.add(row.querySelector('a')?.textContent ?? '');
      const filled = rows.some((row) => row.getBoundingClientRect().bottom >= innerHeight);
      const { scrollHeight } = document.documentElement;
      if (!filled && scrollY + innerHeight < scrollHeight - 100) {
        // Not painted yet.
      } else if (scrollY + innerHeight >= scrollHeight - 1) {
        break;
      } else {
        scrollBy(0, 400);
      }
      const now = await frame();
      frames.push(now - last);
      last = now;
    }
    return { reached: [...reached], most, frames: frames.sort((a, b) => a - b) };
  });
  expect(new Set(scrolled.reached)).toEqual(new Set(Array.from({ length: COUNT }, (_, number) => `Store ${number}`)));
  expect(scrolled.most).toBeLessThanOrEqual(MOST_ROWS);
  const at = (part: number) => Math.round(scrolled.frames[Math.floor((scrolled.frames.length - 1) * part)] ?? 0);
  console.log(`${scrolled.frames.length} frames of scrolling: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms; at most ${scrolled.most} rows`);

  // Back at the top, the search and the order work on all of them.
  await page.getByLabel('Search').fill('store 99');
  await expect(table).toHaveAttribute('aria-rowcount', '12');
  await expect(table.getByRole('link', { name: /^Store 99\d?$/ })).toHaveCount(11);
  await page.getByLabel('Search').fill('');
  await table.getByRole('button', { name: 'Name' }).click();
  await expect(table.getByRole('row').nth(1)).toContainText('Store 999');

  // A change to one of them is seen among all.
  await urumi.create('AAA the newest');
  await page.getByLabel('Search').fill('newest');
  await expect(table.getByRole('link', { name: 'AAA the newest', exact: true })).toBeVisible();
  await expect(page.getByText(`Being made · ${COUNT + 1}`)).toBeVisible();
});
