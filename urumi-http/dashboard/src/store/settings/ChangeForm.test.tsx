import { HeadlessMantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot, type Root } from 'react-dom/client';
import { IntlProvider } from 'use-intl';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Revision, Store } from '../../api/types';
import { messages } from '../../texts';
import options from '../../texts/en.options.json';
import texts from '../../texts/en.store.json';
import { ChangeForm } from './ChangeForm';

// Rendering the whole form is slow on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const engine = {
  name: 'medusa',
  description: 'Medusa: a shop',
  options: {
    properties: {
      api: {
        properties: {
          replicas: { type: 'integer', default: 1, maximum: 3 },
          secretEnv: { writeOnly: true, additionalProperties: { type: 'string' } },
        },
      },
    },
  },
};
const requested = { api: { replicas: 2, secretEnv: { KEY: 'REDACTED' } } };
const present = (number: number, name = 'Shop') =>
  ({
    number,
    at: '2026-01-01T00:00:00Z',
    current: true,
    name,
    requested,
    changes: [],
    by: 'anna',
  }) as unknown as Revision;
const store = {
  id: 'shop',
  name: 'Shop',
  revision: 1,
  resourceVersion: '7',
  conditions: [],
} as unknown as Store;

/** The requests that change the store, and those that only ask. */
let saved: { match: string | null; type: string | null; body: unknown }[];
let asked: unknown[];
let answer: () => Response;
/** The store, when it is loaded again. */
let current: Store;
let root: Root;
const page = document.createElement('main');
const client = new QueryClient();

function show(revision: Revision) {
  root.render(
    <IntlProvider locale="en" messages={{ ...messages, ...options, ...texts }} timeZone="UTC">
      <HeadlessMantineProvider env="test" theme={{ respectReducedMotion: true }}>
        <QueryClientProvider client={client}>
          <h1 id="settings-title" tabIndex={-1} />
          <ChangeForm
            store={{ ...store, revision: revision.number }}
            engine={engine as never}
            present={revision}
            effective={requested}
          />
        </QueryClientProvider>
      </HeadlessMantineProvider>
    </IntlProvider>,
  );
}

beforeEach(() => {
  // Reduced motion: groups open at once.
  vi.stubGlobal('matchMedia', () => ({ matches: true, addEventListener() {}, removeEventListener() {} }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  Element.prototype.scrollIntoView = vi.fn();
  [saved, asked] = [[], []];
  current = { ...store, revision: 2, resourceVersion: '8' };
  client.clear();
  answer = () => Response.json({ ...store, revision: 2, resourceVersion: '8' }, { status: 202 });
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.method !== 'PATCH') return Response.json(request.url.endsWith('/stores/shop') ? current : []);
    const body: unknown = await request.json();
    if (new URL(request.url).searchParams.get('dryRun') !== 'true') {
      const { headers } = request;
      saved.push({ match: headers.get('If-Match'), type: headers.get('Content-Type'), body });
      return answer();
    }
    asked.push(body);
    const change = { option: 'api.replicas', from: 2, to: 3 };
    const replicas = { path: 'spec.replicas', actual: 2, desired: 3 };
    const warnings = [{ field: 'options.api.replicas', message: 'are many' }];
    return Response.json({
      revision: 2,
      name: 'Shop',
      options: [change],
      restarts: ['api'],
      objects: [
        { action: 'repair', object: 'Deployment store-shop/api', fields: [replicas] },
        { action: 'delete', object: 'Service store-shop/old' },
      ],
      warnings,
    });
  });
  document.body.append(page);
  root = createRoot(page);
  show(present(1));
});

afterEach(() => {
  root.unmount();
  vi.unstubAllGlobals();
});

/** The first element with the text, as soon as it is rendered. */
function find<E extends HTMLElement = HTMLInputElement>(selector: string, text = ''): Promise<E> {
  return vi.waitFor(() => {
    const found = [...page.querySelectorAll<E>(selector)].find((one) => one.textContent.includes(text));
    if (!found) throw new Error(`no ${selector} with the text "${text}"`);
    return found;
  }, 5_000);
}

async function click(selector: string, text = '') {
  (await find<HTMLElement>(selector, text)).click();
}

async function type(selector: string, text: string) {
  const element = await find(selector);
  // React ignores a value that it has set itself.
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(element, text);
  element.dispatchEvent(new Event('input', { bubbles: true }));
}

async function openApi() {
  await click('button', 'group of options');
  await click('button', 'API');
}

const effects = () => find<HTMLElement>('section[aria-labelledby=settings-effects]');
const saves = () => find<HTMLButtonElement>('button', 'Save');
const REPLICAS = '#field-options\\.api\\.replicas';

it('names what a change does before it is saved, and saves only that', async () => {
  expect((await saves()).disabled).toBe(true);
  await openApi();
  expect((await find(REPLICAS)).value).toBe('2');
  await type(REPLICAS, '3');
  await find('li', 'API › Replicas');
  expect((await effects()).textContent).toContain('Commerce API');
  expect((await effects()).textContent).toContain('are many');
  expect(asked).toEqual([{ options: { api: { replicas: 3 } } }]);
  expect(saved).toEqual([]);

  await type('#field-reason', ' the sale ');
  await vi.waitFor(async () => expect((await saves()).disabled).toBe(false));
  await click('button', 'Save');
  const body = { options: { api: { replicas: 3 } }, reason: 'the sale' };
  await expect.poll(() => saved).toEqual([{ match: '"7"', type: 'application/merge-patch+json', body }]);
  await find('p', 'Nothing is changed yet.');
  expect((await saves()).disabled).toBe(true);
});

it('shows what changes in Kubernetes on request', async () => {
  await openApi();
  await type(REPLICAS, '3');
  const details = await find('section button', 'Details for Kubernetes');
  expect(details.getAttribute('aria-expanded')).toBe('false');
  expect((await effects()).textContent).not.toContain('Deployment');
  details.click();
  const changed = await find('li', 'Changed: Deployment store-shop/api');
  expect(changed.querySelector('li')?.textContent).toBe('spec.replicasfrom2to3');
  expect((await find('li', 'Deleted: Service')).querySelector('ul')).toBeNull();
  details.click();
  await vi.waitFor(async () => expect((await effects()).textContent).not.toContain('Deployment'));
});

it('has nothing to save when a value is typed back', async () => {
  await type('#field-name', 'Other');
  await find('button:not(:disabled)', 'Save');
  await type('#field-name', 'Shop');
  await find('button:disabled', 'Save');
  await openApi();
  await type(REPLICAS, '');
  await find('button:not(:disabled)', 'Save');
  await click('button', 'Discard my changes');
  await find('button:disabled', 'Save');
  expect((await find(REPLICAS)).value).toBe('2');
});

it('shows secrets locked, with the reason', async () => {
  await openApi();
  const secrets = await find<HTMLFieldSetElement>('fieldset fieldset', 'Secret env');
  expect(secrets.disabled).toBe(true);
  expect(secrets.textContent).toContain('A secret value is taken only when a store is created.');
  expect(secrets.querySelector('input')?.value).toBe('KEY');
});

it('keeps what was typed when somebody else has changed the store', async () => {
  await type('#field-name', 'Mine');
  await find('button:not(:disabled)', 'Save');
  show(present(2, 'Theirs'));
  await find('[role=alert]', 'It is revision 2 now, by anna.');
  expect((await saves()).disabled).toBe(true);
  await click('button', 'Go on from revision 2');
  await find('button:not(:disabled)', 'Save');
  expect((await find('#field-name')).value).toBe('Mine');
});

it('goes on from a new revision at once when nothing was typed', async () => {
  await find('#field-name');
  show(present(2, 'Theirs'));
  await vi.waitFor(async () => expect((await find('#field-name')).value).toBe('Theirs'));
  expect(page.querySelectorAll('[role=alert]')).toHaveLength(0);
});

it('says that nothing was done when the store has changed that moment', async () => {
  const problem = { type: '', title: '', detail: 'no', code: 'precondition-failed', retryable: false };
  answer = () => Response.json({ ...problem, status: 412 }, { status: 412 });
  await type('#field-name', 'Mine');
  await find('button:not(:disabled)', 'Save');
  await click('button', 'Save');
  await find('[role=alert]', 'so nothing was done');
  expect((await find('#field-name')).value).toBe('Mine');
});

it('saves although the store has another status meanwhile', async () => {
  const problem = { type: '', title: '', detail: 'no', code: 'precondition-failed', retryable: false };
  current = { ...store, resourceVersion: '9' };
  answer = () =>
    saved.length === 1
      ? Response.json({ ...problem, status: 412 }, { status: 412 })
      : Response.json({ ...store, revision: 2, resourceVersion: '10' }, { status: 202 });
  await type('#field-name', 'Mine');
  await find('button:not(:disabled)', 'Save');
  await click('button', 'Save');
  await expect.poll(() => saved.map(({ match }) => match)).toEqual(['"7"', '"9"']);
  await find('p', 'Nothing is changed yet.');
});

it('shows the problems that the API finds at their inputs', async () => {
  const errors = [{ field: 'options.api.replicas', message: 'not today' }];
  const problem = { type: '', title: '', detail: 'no', code: 'invalid', retryable: false };
  answer = () => Response.json({ ...problem, status: 422, errors }, { status: 422 });
  await openApi();
  await type(REPLICAS, '3');
  await find('button:not(:disabled)', 'Save');
  await click('button', 'Save');
  await find('[role=alert]', 'not today');
  const described = (await find(REPLICAS)).getAttribute('aria-describedby')?.split(' ') ?? [];
  expect(described.map((id) => document.getElementById(id)?.textContent).join(' ')).toContain('not today');
});
