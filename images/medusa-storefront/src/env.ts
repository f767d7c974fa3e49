// The environment of a store, read at the start and checked before the server listens.
import { building } from '$app/env';
import { defineEnvVars } from '@sveltejs/kit/env';
import { live } from './live.ts';

/** A check of a running server only: the build has no store's values. */
const running = (check: (value: string | undefined) => string) => (value: string | undefined) => {
  return building ? '' : check(value);
};

/** An http(s) URL; returned without a trailing slash, so that paths can be appended. */
function address(value: string | undefined): string {
  const url = value ? URL.parse(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw new Error('must be an http:// or https:// address');
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function origin(value: string | undefined): string {
  return new URL(address(value)).origin;
}

function text(value: string | undefined): string {
  if (!value?.trim()) throw new Error('must be set');
  return value.trim();
}

/** The settings may have the name instead. */
function storeName(value: string | undefined): string {
  return process.env.STOREFRONT_SETTINGS ? (value ?? '').trim() : text(value);
}

/** Stripe's publishable key; rejects secret keys. */
function stripeKey(value: string | undefined): string | undefined {
  if (!value) return undefined;
  if (!/^pk_(test|live)_\w+$/.test(value)) throw new Error('must begin with pk_test_ or pk_live_');
  return value;
}

export const variables = defineEnvVars({
  MEDUSA_BACKEND_URL: { schema: running(address), description: 'Where this server reaches the Medusa API' },
  MEDUSA_PUBLIC_URL: {
    schema: running(address),
    description: "The API's public address, with which its picture URLs begin",
  },
  MEDUSA_PUBLISHABLE_KEY: {
    schema: running(text),
    description: 'The publishable API key of the sales channel to show',
  },
  STOREFRONT_URL: { schema: running(origin), description: "The storefront's own public address" },
  STORE_NAME: { schema: running(storeName), description: "The shop's name, if the settings have none" },
  STOREFRONT_SETTINGS: {
    schema: (value) => live(building ? undefined : value, (process.env.STORE_NAME ?? '').trim()),
    description: 'A JSON file of how the shop looks and speaks (optional)',
  },
  STRIPE_PUBLISHABLE_KEY: { schema: stripeKey, description: "Stripe's publishable key (optional)" },
});
