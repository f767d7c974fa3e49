// Answers in Stripe's place whatever a browser asks of Stripe's hosts, and takes Stripe's test cards.
import type { BrowserContext, Route } from '@playwright/test';
import { join } from 'node:path';

/** The address that Stripe publishes for its script; any other is not answered. */
const SCRIPT = 'https://js.stripe.com/endive/stripe.js';
/** Hosts of Stripe that a page with a Payment Element may ask, by Stripe's own list. */
export const HOSTS = /^https:\/\/((([\w-]+\.)?js|hooks|api)\.stripe\.com|([\w-]+\.)?link\.com)\//;

/** Stripe's test cards. */
export const CARDS = {
  good: '4242 4242 4242 4242',
  declined: '4000 0000 0000 0002',
  authenticated: '4000 0027 6000 3184',
};

export interface Intent {
  status: string;
  failed?: boolean;
}

const file = (name: string) => join(import.meta.dirname, 'stripe', name);
const shown = (id: string, { status }: Intent) => ({ object: 'payment_intent', id, status });

/** Stripe, whose payments are `intents`. Returns the ids of those that it was asked to confirm, in turn. */
export async function standIn(context: BrowserContext, intents: Map<string, Intent>): Promise<string[]> {
  const confirmed: string[] = [];

  function api(method: string, path: string, body: URLSearchParams): [number, unknown] {
    const [, , kind, id = '', act] = path.split('/');
    const intent = intents.get(id);
    if (kind !== 'payment_intents' || !intent) return [404, { error: { type: 'invalid_request_error' } }];
    const refused = (status: number, error: Record<string, unknown>): [number, unknown] => {
      return [status, { error: { ...error, payment_intent: shown(id, intent) } }];
    };
    if (act === 'authenticate') {
      const failed = body.get('outcome') !== 'complete';
      Object.assign(intent, { status: failed ? 'requires_payment_method' : 'requires_capture', failed });
    } else if (act === 'confirm' && method === 'POST') {
      confirmed.push(id);
      if (!/^requires_(payment_method|action)$/.test(intent.status))
        return refused(400, { type: 'invalid_request_error', code: 'payment_intent_unexpected_state' });
      const number = body.get('number');
      if (number === CARDS.declined.replaceAll(' ', '')) {
        Object.assign(intent, { status: 'requires_payment_method', failed: true });
        return refused(402, { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' });
      }
      const asks = number === CARDS.authenticated.replaceAll(' ', '');
      // Medusa's provider takes the money later, unless it is told otherwise.
      Object.assign(intent, { status: asks ? 'requires_action' : 'requires_capture', failed: false });
    }
    const last_payment_error = intent.failed && {
      type: 'invalid_request_error',
      code: 'payment_intent_authentication_failure',
      payment_intent: shown(id, intent),
    };
    return [200, { ...shown(id, intent), ...(last_payment_error && { last_payment_error }) }];
  }

  await context.route(HOSTS, async (route: Route) => {
    const request = route.request();
    const { origin, hostname, pathname } = new URL(request.url());
    if (request.url() === SCRIPT) return route.fulfill({ path: file('stripe.js'), contentType: 'text/javascript' });
    if (hostname === 'controller.js.stripe.com') return route.fulfill({ contentType: 'text/html', body: '<title>controller</title>' });
    if (origin === 'https://js.stripe.com' && pathname === '/v3/elements-inner-payment.html')
      return route.fulfill({ path: file('element.html'), contentType: 'text/html' });
    if (hostname === 'hooks.stripe.com') return route.fulfill({ path: file('challenge.html'), contentType: 'text/html' });
    if (hostname !== 'api.stripe.com') return route.abort();
    const [status, json] = api(request.method(), pathname, new URLSearchParams(request.postData() ?? ''));
    await route.fulfill({ status, json, headers: { 'access-control-allow-origin': '*' } });
  });
  return confirmed;
}
