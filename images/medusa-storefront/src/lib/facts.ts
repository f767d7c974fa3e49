// Structured data (schema.org) of a product and of its place in the catalogue.
import { cut } from './cut.ts';
import type { Category, Product } from './catalogue.ts';

/** How many variants are listed individually. */
const OFFERS = 100;

/** `origin` is the shop's own address; all URLs here begin with it. */
export function productFacts(product: Product, origin: string): object {
  const url = `${origin}/products/${encodeURIComponent(product.handle)}`;
  return {
    '@type': 'Product',
    name: product.title,
    description: cut(product.description || product.subtitle || product.title, 5000),
    url,
    image: product.pictures.map((path) => origin + path),
    material: product.material || undefined,
    category: product.category?.name,
    offers: product.variants.slice(0, OFFERS).flatMap(({ id, sku, title, price, soldOut }) => {
      if (!price) return [];
      return {
        '@type': 'Offer',
        url: `${url}?variant=${encodeURIComponent(id)}`,
        name: title || undefined,
        sku: sku || undefined,
        price: price.amount,
        priceCurrency: price.currency,
        availability: `https://schema.org/${soldOut ? 'OutOfStock' : 'InStock'}`,
      };
    }),
  };
}

export function breadcrumbFacts(product: Product, trail: Category[], origin: string, all: string): object {
  const steps = [
    { name: all, path: '/' },
    ...trail.map(({ name, handle }) => ({ name, path: `/?category=${encodeURIComponent(handle)}` })),
    { name: product.title, path: `/products/${encodeURIComponent(product.handle)}` },
  ];
  return {
    '@type': 'BreadcrumbList',
    itemListElement: steps.map(({ name, path }, n) => {
      return { '@type': 'ListItem', position: n + 1, name, item: origin + path };
    }),
  };
}
