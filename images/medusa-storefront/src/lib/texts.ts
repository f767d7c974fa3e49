// Every text that the storefront itself shows, and how it writes prices.
import type { Price } from './catalogue.ts';

export const lang = 'en';

export const texts = {
  skip: 'Skip to content',
  all: 'All products',
  categories: 'Categories',
  collections: 'Collections',
  from: 'From',
  was: 'Was',
  now: 'Now',
  soldOut: 'Sold out',
  inStock: 'In stock',
  unpriced: 'Price on request',
  material: 'Material',
  sku: 'Article number',
  description: 'Description',
  details: 'Details',
  breadcrumb: 'Where you are',
  pictures: 'Pictures',
  picture: (title: string, n: number, all: number) => (all > 1 ? `${title}, picture ${n} of ${all}` : title),
  noPicture: 'No picture',
  count: (n: number) => (n === 1 ? '1 product' : `${n} products`),
  pages: 'Pages',
  page: (n: number, all: number) => `Page ${n} of ${all}`,
  onPage: (n: number) => `page ${n}`,
  previous: 'Previous',
  next: 'Next',
  empty: 'Nothing here yet',
  emptyHint: 'New products will be on this page soon.',
  region: 'Region and currency',
  change: 'Change',
  home: (store: string) => `Everything at ${store}: products, prices and what is in stock.`,
  notFound: 'This page does not exist',
  notFoundHint: 'It may have moved, or the product is no longer offered.',
  badRequest: 'This address is not right',
  badRequestHint: 'Something in it cannot be understood.',
  unavailable: 'The shop is taking a short break',
  unavailableHint: 'Products cannot be shown right now. Please try again in a moment.',
  failed: 'Something went wrong',
  failedHint: 'It is our fault, and it has been noted. Please try again in a moment.',
  back: 'Back to the shop',
};

const formats = new Map<string, Intl.NumberFormat>();

export function money(amount: Price['amount'], currency: Price['currency']): string {
  let format = formats.get(currency);
  if (!format) {
    format = new Intl.NumberFormat(lang, { style: 'currency', currency });
    formats.set(currency, format);
  }
  return format.format(amount);
}
