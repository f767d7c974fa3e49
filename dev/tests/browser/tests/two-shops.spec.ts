// One browser in two shops under one domain: what a customer is and has in one, the other knows nothing of.
import { expect, test, type Page } from '@playwright/test';
import { addToCart, checkOut, lookUp, openProduct } from './customer.ts';

const { SHOP_URL = '', OTHER_SHOP_URL = '' } = process.env;
const email = 'two-shops@example.com';
const here = { shop: SHOP_URL, title: 'Dot Grid Notebook' };
const there = { shop: OTHER_SHOP_URL, title: 'Stoneware Mug' };

test('a customer of two shops is a stranger in each to the other', async ({ context, page: mine }) => {
  test.skip(!OTHER_SHOP_URL, 'OTHER_SHOP_URL names no second shop');
  const yours = await context.newPage();
  const cookies = async (shop: string) => new Map((await context.cookies(shop)).map(({ name, value }) => [name, value]));
  const cart = async (page: Page, { shop, title }: typeof here, other: string) => {
    await page.goto(`${shop}/cart`);
    await expect(page.getByRole('main')).toContainText(title);
    await expect(page.getByRole('main')).not.toContainText(other);
  };
  // Neither is told of a cart of the other's, whatever the browser sends along.
  const strays: string[] = [];
  context.on('request', async (request) => {
    const to = [here, there].find(({ shop }) => request.url().startsWith(shop));
    const from = to === here ? there : here;
    const foreign = (await cookies(from.shop)).get('cart');
    const sent = (await request.allHeaders().catch(() => ({}) as Record<string, string>)).cookie ?? '';
    if (!to || (foreign && sent.includes(foreign))) strays.push(`${request.method()} ${request.url()}`);
  });

  await openProduct(mine, here.title);
  await addToCart(mine);
  expect((await cookies(here.shop)).get('cart')).toBeTruthy();
  expect((await cookies(there.shop)).size, 'a shop that was not visited has no cookies').toBe(0);
  await yours.goto(`${there.shop}/cart`);
  await expect(yours.getByRole('main')).not.toContainText(here.title);

  await openProduct(yours, there.title, undefined, there.shop);
  await addToCart(yours);
  expect((await cookies(there.shop)).get('cart')).not.toBe((await cookies(here.shop)).get('cart'));
  await cart(mine, here, there.title);
  await cart(yours, there, here.title);

  // An order in one takes nothing out of the other's cart.
  const number = await checkOut(mine, { email });
  const confirmation = new URL(mine.url()).pathname;
  await expect(mine.getByRole('main')).toContainText(here.title);
  await cart(yours, there, here.title);
  const other = await checkOut(yours, { email, shop: there.shop });
  await expect(yours.getByRole('main')).toContainText(there.title);
  console.log(`order #${number} here, #${other} there`);

  // Who knows number, e-mail address and even the id of an order finds it where it was placed, and nowhere else.
  await lookUp(mine, number, { email });
  await expect(mine.getByRole('main')).toContainText(here.title);
  for (const one of new Set([number, other])) {
    await lookUp(mine, one, { email });
    await expect(mine.getByRole('main')).not.toContainText(there.title);
    await lookUp(yours, one, { email, shop: there.shop });
    await expect(yours.getByRole('main')).not.toContainText(here.title);
  }
  await lookUp(yours, other, { email, shop: there.shop });
  await expect(yours.getByRole('main')).toContainText(there.title);
  const foreign = await yours.goto(there.shop + confirmation);
  expect(foreign?.status(), 'the other shop’s confirmation').toBe(404);
  await expect(yours.getByRole('main')).not.toContainText(here.title);
  expect(strays).toEqual([]);
});
