// Adds to a migrated database what a store needs to sell. Each step checks what exists, so it can run again after a crash.
"use strict";

const workflows = require("@medusajs/core-flows");
const { ContainerRegistrationKeys, Modules } = require("@medusajs/framework/utils");
const { categories, collection, products, regions, shipping } = require("./catalogue");

/** `container` is Medusa's; URLs of pictures begin with `base`. */
async function seed(container, { storeName, base }) {
  const query = container.resolve(ContainerRegistrationKeys.QUERY);
  const link = container.resolve(ContainerRegistrationKeys.LINK);
  const run = async (workflow, input) => (await workflow(container).run({ input })).result;
  const all = async (entity, fields, filters) => (await query.graph({ entity, fields, filters })).data;

  // Medusa creates a missing store and sales channel when it starts.
  const [store] = await all("store", ["id", "name", "default_sales_channel_id", "default_location_id", "default_region_id", "supported_currencies.*"]);
  const channel = store.default_sales_channel_id;
  const untouched = store.name === "Medusa Store";

  await seedRegions();
  const location = await seedLocation();
  const profile = await seedShippingProfile();
  await seedShipping(location, profile);
  await seedCatalogue(profile);
  await seedStock(location);
  const [europe] = await all("region", ["id"], { name: regions[0].name });
  // Keep what the owner has set.
  await run(workflows.updateStoresWorkflow, {
    selector: { id: store.id },
    update: {
      ...(untouched && { name: storeName }),
      supported_currencies: currencies(store.supported_currencies),
      default_location_id: store.default_location_id ?? location.id,
      default_region_id: store.default_region_id ?? europe?.id ?? null,
    },
  });

  /** In an unchanged store: our currencies, with the euro as the default. Otherwise adds the missing ones. */
  function currencies(present) {
    const ours = regions.map(({ currency_code, taxIncluded }, index) => ({ currency_code, is_default: index === 0, is_tax_inclusive: taxIncluded }));
    if (untouched) return ours;
    const kept = present.map(({ currency_code, is_default }) => ({ currency_code, is_default }));
    const missing = ours.filter(({ currency_code }) => !kept.some((currency) => currency.currency_code === currency_code));
    return [...kept, ...missing.map((currency) => ({ ...currency, is_default: false }))];
  }

  async function seedRegions() {
    const present = await all("region", ["name", "countries.iso_2"]);
    const names = present.map((region) => region.name);
    // A country can be in one region only.
    const taken = present.flatMap((region) => region.countries.map((country) => country.iso_2));
    const missing = regions
      .map((region) => ({ ...region, countries: Object.keys(region.vat).filter((country) => !taken.includes(country)) }))
      .filter((region) => !names.includes(region.name) && region.countries.length > 0);
    if (missing.length > 0) {
      await run(workflows.createRegionsWorkflow, {
        regions: missing.map(({ name, currency_code, countries, taxIncluded }) => ({
          name,
          currency_code,
          countries,
          is_tax_inclusive: taxIncluded,
          payment_providers: ["pp_system_default"],
        })),
      });
    }
    const taxed = (await all("tax_region", ["country_code"])).map((region) => region.country_code);
    const taxes = regions
      .flatMap((region) => Object.entries(region.vat))
      .filter(([country]) => !taxed.includes(country))
      .map(([country_code, rate]) => ({
        country_code,
        provider_id: "tp_system",
        ...(rate !== null && { default_tax_rate: { name: "VAT", code: "vat", rate } }),
      }));
    if (taxes.length > 0) await run(workflows.createTaxRegionsWorkflow, taxes);
  }

  async function seedLocation() {
    const name = "Warehouse";
    let [location] = await all("stock_location", ["id"], { name });
    location ||= (
      await run(workflows.createStockLocationsWorkflow, {
        locations: [{ name, address: { address_1: "", city: "Berlin", country_code: "de" } }],
      })
    )[0];
    // Both keep existing links.
    await link.create({
      [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
      [Modules.FULFILLMENT]: { fulfillment_provider_id: "manual_manual" },
    });
    await run(workflows.linkSalesChannelsToStockLocationWorkflow, { id: location.id, add: [channel] });
    return location;
  }

  async function seedShippingProfile() {
    const [profile] = await all("shipping_profile", ["id"], { type: "default" });
    if (profile) return profile;
    const data = [{ name: "Default", type: "default" }];
    return (await run(workflows.createShippingProfilesWorkflow, { data }))[0];
  }

  async function seedShipping(location, profile) {
    const fulfillment = container.resolve(Modules.FULFILLMENT);
    const name = "Delivery";
    let [set] = await fulfillment.listFulfillmentSets({ name }, { relations: ["service_zones"] });
    set ||= await fulfillment.createFulfillmentSets({
      name,
      type: "shipping",
      service_zones: [
        {
          name: "Everywhere we sell",
          geo_zones: regions.flatMap((region) => Object.keys(region.vat)).map((country_code) => ({ type: "country", country_code })),
        },
      ],
    });
    await link.create({
      [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
      [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
    });
    const zone = set.service_zones[0].id;
    const present = (await all("shipping_option", ["name"], { service_zone_id: zone })).map((option) => option.name);
    const missing = shipping.filter((option) => !present.includes(option.name));
    if (missing.length === 0) return;
    await run(
      workflows.createShippingOptionsWorkflow,
      missing.map(({ name, description, code, prices }) => ({
        name,
        price_type: "flat",
        provider_id: "manual_manual",
        service_zone_id: zone,
        shipping_profile_id: profile.id,
        type: { label: name, description, code },
        prices,
        rules: [
          { attribute: "enabled_in_store", value: "true", operator: "eq" },
          { attribute: "is_return", value: "false", operator: "eq" },
        ],
      })),
    );
  }

  async function seedCatalogue(profile) {
    const byName = new Map((await all("product_category", ["id", "name"])).map(({ id, name }) => [name, id]));
    const missing = categories.filter((name) => !byName.has(name));
    if (missing.length > 0) {
      const made = await run(workflows.createProductCategoriesWorkflow, {
        product_categories: missing.map((name) => ({ name, is_active: true })),
      });
      for (const { id, name } of made) byName.set(name, id);
    }
    let [favourites] = await all("product_collection", ["id"], { handle: collection.handle });
    favourites ||= (await run(workflows.createCollectionsWorkflow, { collections: [collection] }))[0];

    const present = (await all("product", ["handle"])).map(({ handle }) => handle);
    // Add no sample products to a shop that has products.
    if (present.some((handle) => !products.some((product) => product.handle === handle))) return;
    const wanted = products.filter((product) => !present.includes(product.handle));
    if (wanted.length === 0) return;
    await run(workflows.createProductsWorkflow, {
      products: wanted.map((product) => ({
        title: product.title,
        subtitle: product.subtitle,
        description: product.description,
        handle: product.handle,
        status: "published",
        weight: product.weight,
        material: product.material,
        category_ids: [byName.get(product.category)],
        ...(product.favourite && { collection_id: favourites.id }),
        shipping_profile_id: profile.id,
        thumbnail: `${base}/static/products/${product.handle}.svg`,
        images: [{ url: `${base}/static/products/${product.handle}.svg` }],
        options: Object.entries(product.options).map(([title, values]) => ({ title, values })),
        variants: combinations(product.options).map((options) => ({
          title: Object.values(options).join(" / "),
          sku: [product.handle, ...Object.values(options)].join("-").toUpperCase().replace(/[^A-Z0-9]+/g, "-"),
          options,
          manage_inventory: true,
          prices: product.prices,
        })),
        sales_channels: [{ id: channel }],
      })),
    });
  }

  /** Sets the initial stock of the seeded variants; keeps existing levels, which the owner may have set. */
  async function seedStock(location) {
    const stocked = await all(
      "product",
      ["handle", "variants.inventory_items.inventory.id", "variants.inventory_items.inventory.location_levels.id"],
      { handle: products.map((product) => product.handle) },
    );
    const levels = stocked.flatMap((product) =>
      product.variants
        .flatMap((variant) => variant.inventory_items.map((item) => item.inventory))
        .filter((item) => item.location_levels.length === 0)
        .map((item) => ({
          inventory_item_id: item.id,
          location_id: location.id,
          stocked_quantity: products.find(({ handle }) => handle === product.handle).stock,
        })),
    );
    if (levels.length > 0) await run(workflows.createInventoryLevelsWorkflow, { inventory_levels: levels });
  }
}

/** All combinations of one value per option: `{Size: [S, M], Colour: [Ink]}` → `{Size: S, Colour: Ink}, {Size: M, Colour: Ink}`. */
function combinations(options) {
  return Object.entries(options).reduce(
    (chosen, [title, values]) => chosen.flatMap((choice) => values.map((value) => ({ ...choice, [title]: value }))),
    [{}],
  );
}

module.exports = { seed };
