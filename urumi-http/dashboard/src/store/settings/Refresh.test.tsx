import { HeadlessMantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot, type Root } from 'react-dom/client';
import { IntlProvider } from 'use-intl';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Store } from '../../api/types';
import { messages } from '../../texts';
import texts from '../../texts/en.store.json';
import { Refresh } from './Refresh';

vi.setConfig({ testTimeout: 60_000 });

const store = {
  id: 'shop',
  name: 'Shop',
  revision: 1,
  resourceVersion: '7',
  conditions: [{ type: 'UpToDate', status: 'False', reason: 'NewRenderer' }],
} as unknown as Store;

/** The bodies of the requests that only ask, and the requests that change the store. */
let asked: unknown[];
let saved: { match: string | null; body: unknown }[];
/** The revision that the preview names. */
let revision: number;
let status: number;
let root: Root;
const page = document.createElement('main');
const client = new QueryClient();

function show(shown: Store) {
  root.render(
    <IntlProvider locale="en" messages={{ ...messages, ...texts }} timeZone="UTC">
      <HeadlessMantineProvider env="test">
        <QueryClientProvider client={client}>
          <Refresh store={shown} />
        </QueryClientProvider>
      </HeadlessMantineProvider>
    </IntlProvider>,
  );
}

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  [asked, saved, revision, status] = [[], [], 2, 202];
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.method !== 'PATCH') return Response.json({ ...store, revision: 2, resourceVersion: '9' });
    const body: unknown = await request.json();
    if (new URL(request.url).searchParams.get('dryRun') === 'true') {
      asked.push(body);
      return Response.json({ revision, name: 'Shop', options: [], restarts: ['api'], objects: [] });
    }
    saved.push({ match: request.headers.get('If-Match'), body });
    const problem = { type: '', title: '', detail: 'no', code: 'precondition-failed', retryable: false };
    return Response.json(status === 202 ? { ...store, revision: 2 } : { ...problem, status }, { status });
  });
  document.body.append(page);
  root = createRoot(page);
  show(store);
});

afterEach(() => {
  root.unmount();
  vi.unstubAllGlobals();
});

/** The first element with the text, as soon as it is rendered. */
function find<E extends HTMLElement = HTMLButtonElement>(selector: string, text = ''): Promise<E> {
  return vi.waitFor(() => {
    const found = [...document.querySelectorAll<E>(selector)].find((one) => one.textContent.includes(text));
    if (!found) throw new Error(`no ${selector} with the text "${text}"`);
    return found;
  }, 5_000);
}

const CONFIRM = '[role=dialog] button:not(:disabled)';

it('moves a store to this version once it was shown what that changes', async () => {
  (await find('button', 'Move to this version')).click();
  await find('[role=dialog] li', 'Commerce API');
  expect(asked).toEqual([{ refresh: true }]);
  expect(saved).toEqual([]);
  (await find(CONFIRM, 'Change the store')).click();
  await vi.waitFor(() => expect(document.querySelector('[role=dialog]')).toBeNull());
  expect(saved).toEqual([{ match: '"7"', body: { refresh: true } }]);
});

it('has nothing to do where the defaults are still the same', async () => {
  show({ ...store, conditions: [] });
  revision = 1;
  (await find('button', 'Use today’s defaults')).click();
  await find('[role=dialog] [role=status]', 'so nothing would change');
  expect((await find('[role=dialog] button', 'Change the store')).disabled).toBe(true);
});

it('changes no later revision than the one that was shown', async () => {
  (await find('button', 'Move to this version')).click();
  await find(CONFIRM, 'Change the store');
  status = 412;
  show({ ...store, revision: 2, resourceVersion: '9', conditions: [] });
  await find('button', 'Use today’s defaults');
  (await find(CONFIRM, 'Change the store')).click();
  await find('[role=dialog] [role=alert]', 'so nothing was done');
  expect(saved).toEqual([{ match: '"7"', body: { refresh: true } }]);
  expect((await find('[role=dialog] button', 'Change the store')).disabled).toBe(true);
});
