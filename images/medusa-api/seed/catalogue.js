// The sample catalogue of a new store: eight products in three categories and a collection.
"use strict";

/** Prices in major units, as in Medusa. */
const price = (eur, usd) => [
  { currency_code: "eur", amount: eur },
  { currency_code: "usd", amount: usd },
];

const categories = ["Apparel", "Home", "Paper"];

const collection = { title: "Favourites", handle: "favourites" };

/** The order of a product's options determines the order of its variants; `stock` is per variant. */
const products = [
  {
    handle: "everyday-t-shirt",
    title: "Everyday T-Shirt",
    subtitle: "Heavy organic cotton",
    description: "A boxy T-shirt of heavy organic cotton that keeps its shape wash after wash. Cut a little wide: take your usual size.",
    category: "Apparel",
    favourite: true,
    weight: 220,
    material: "Organic cotton",
    options: { Size: ["S", "M", "L", "XL"], Colour: ["Chalk", "Ink"] },
    prices: price(29, 32),
    stock: 40,
  },
  {
    handle: "wool-beanie",
    title: "Wool Beanie",
    subtitle: "Ribbed merino",
    description: "A ribbed beanie of soft merino wool, long enough to fold over twice on a cold morning.",
    category: "Apparel",
    weight: 90,
    material: "Merino wool",
    options: { Colour: ["Rust", "Forest"] },
    prices: price(24, 26),
    stock: 25,
  },
  {
    handle: "canvas-tote",
    title: "Canvas Tote",
    subtitle: "Carries 15 kg",
    description: "A roomy tote of sturdy canvas with long handles and an inner pocket for keys and phone.",
    category: "Apparel",
    favourite: true,
    weight: 310,
    material: "Cotton canvas",
    options: { Colour: ["Natural", "Ink"] },
    prices: price(19, 21),
    stock: 60,
  },
  {
    handle: "stoneware-mug",
    title: "Stoneware Mug",
    subtitle: "300 ml",
    description: "A hand-glazed mug of stoneware. Every piece differs a little; all of them like the dishwasher.",
    category: "Home",
    favourite: true,
    weight: 380,
    material: "Stoneware",
    options: { Glaze: ["Sand", "Sage"] },
    prices: price(18, 20),
    stock: 35,
  },
  {
    handle: "soy-candle",
    title: "Soy Candle",
    subtitle: "Burns for 40 hours",
    description: "A candle of soy wax with a cotton wick, poured into a glass that serves as a tumbler afterwards.",
    category: "Home",
    weight: 420,
    material: "Soy wax",
    options: { Scent: ["Fig", "Cedar"] },
    prices: price(22, 24),
    stock: 30,
  },
  {
    handle: "linen-throw",
    title: "Linen Throw",
    subtitle: "130 × 170 cm",
    description: "A washed linen throw with short fringes: light in summer, warm enough for an evening in autumn.",
    category: "Home",
    weight: 650,
    material: "Linen",
    options: { Colour: ["Oat"] },
    prices: price(79, 86),
    stock: 0,
  },
  {
    handle: "dot-grid-notebook",
    title: "Dot Grid Notebook",
    subtitle: "144 pages",
    description: "A thread-bound notebook that lies flat, with 144 pages of smooth recycled paper and a faint dot grid.",
    category: "Paper",
    favourite: true,
    weight: 280,
    material: "Recycled paper",
    options: { Format: ["A5", "A6"] },
    prices: price(14, 15),
    stock: 80,
  },
  {
    handle: "sunrise-print",
    title: "Sunrise Print",
    subtitle: "Two-colour art print",
    description: "An art print in two colours on uncoated paper of 170 g, shipped in a sturdy tube. Frame not included.",
    category: "Paper",
    weight: 150,
    material: "Uncoated paper",
    options: { Size: ["30 × 40 cm", "50 × 70 cm"] },
    prices: price(35, 38),
    stock: 15,
  },
];

/** The regions of a new store. The tax rates were correct when this was written; the owner must keep them up to date. */
const regions = [
  {
    name: "Europe",
    currency_code: "eur",
    taxIncluded: true,
    vat: { at: 20, be: 21, de: 19, es: 21, fr: 20, ie: 23, it: 22, nl: 21 },
  },
  { name: "United States", currency_code: "usd", taxIncluded: false, vat: { us: null } },
];

const shipping = [
  { name: "Standard", description: "In 3 to 5 working days", code: "standard", prices: price(4.9, 5.9) },
  { name: "Express", description: "The next working day", code: "express", prices: price(12, 14) },
];

module.exports = { categories, collection, products, regions, shipping };
