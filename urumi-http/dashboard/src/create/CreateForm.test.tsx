import { HeadlessMantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot, type Root } from 'react-dom/client';
import { IntlProvider } from 'use-intl';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { messages } from '../texts';
import create from '../texts/en.create.json';
import options from '../texts/en.options.json';
import { CreateForm } from './CreateForm';

// Rendering the whole form is slow on a busy machine.
vi.setConfig({ testTimeout: 60_000 });
vi.mock('@tanstack/react-router', () => ({ useNavigate: () => vi.fn() }));

const locked = (text: string) => ({
  readOnly: true,
  'x-urumi-policy': { rule: 'locked', liftedBy: 'administrator', text },
});
const engine = {
  name: 'medusa',
  description: 'Medusa: a shop',
  options: {
    properties: {
      api: {
        properties: {
          replicas: { type: 'integer', default: 1, maximum: 3 },
          image: { type: 'string', default: 'shop:1', ...locked('Only an administrator chooses images.') },
          prepare: { type: 'boolean', default: true, ...locked('Only an administrator changes this.') },
          env: {
            additionalProperties: { type: 'string' },
            default: { MODE: 'fast' },
            ...locked('Only an administrator sets variables.'),
          },
          secretEnv: { writeOnly: true, additionalProperties: { type: 'string' } },
          resources: {
            ...locked('Resources are fixed.'),
            properties: { cpu: { type: 'string', default: '2', readOnly: true } },
          },
        },
      },
      storefront: { properties: { env: { additionalProperties: { type: 'string' } } } },
      database: {
        ...locked('The database is fixed.'),
        properties: { port: { type: 'integer', default: 5432, readOnly: true } },
      },
    },
  },
};

/** The bodies of the requests that create a store, and of those that only check. */
let created: { options?: unknown }[];
let checked: { options?: unknown }[];
let answer: () => Response;
/** The warnings of each check. */
let warnings: { field: string; message: string }[];
let root: Root;
const page = document.createElement('main');

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
  [created, checked, warnings] = [[], [], []];
  answer = () => Response.json({ id: 'shop' }, { status: 201 });
  vi.stubGlobal('fetch', async (request: Request) => {
    const isCheck = new URL(request.url).pathname === '/stores/preview';
    (isCheck ? checked : created).push(await request.json());
    return isCheck ? Response.json({ id: 'shop', options: {}, objects: [], urls: {}, warnings }) : answer();
  });
  document.body.append(page);
  root = createRoot(page);
  root.render(
    <IntlProvider locale="en" messages={{ ...messages, ...create, ...options }} timeZone="UTC">
      <HeadlessMantineProvider env="test" theme={{ respectReducedMotion: true }}>
        <QueryClientProvider client={new QueryClient()}>
          <CreateForm
            engines={[engine as never]}
            who={{ subject: 'anna', role: 'operator', teams: [] } as never}
          />
        </QueryClientProvider>
      </HeadlessMantineProvider>
    </IntlProvider>,
  );
});

afterEach(() => {
  root.unmount();
  sessionStorage.clear();
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

const input = (path: string) => find(`#field-options\\.${path.replaceAll('.', '\\.')}`);

async function click(selector: string, text = '') {
  (await find<HTMLElement>(selector, text)).click();
}

/** Opens a group of options. */
async function open(group: string) {
  if ((await find('[aria-controls=all-options]')).getAttribute('aria-expanded') === 'false') {
    await click('button', 'groups of options');
  }
  await click('button', group);
}

async function type(into: Promise<HTMLInputElement> | HTMLInputElement, text: string) {
  const element = await into;
  // React ignores a value that it has set itself.
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(element, text);
  element.dispatchEvent(new Event('input', { bubbles: true }));
}

const describedBy = (element: Element) =>
  element
    .getAttribute('aria-describedby')
    ?.split(' ')
    .map((id) => document.getElementById(id)?.textContent)
    .join(' ');

const submit = () => click('button', 'Create store');

it('shows locked options with their values and the reason', async () => {
  await open('API');
  expect((await input('api.replicas')).disabled).toBe(false);
  for (const [path, value, reason] of [
    ['api.image', 'shop:1', 'Only an administrator chooses images.'],
    ['api.prepare', 'on', 'Only an administrator changes this.'],
  ] as const) {
    const element = await input(path);
    expect(element.disabled, path).toBe(true);
    expect(element.value, path).toBe(value);
    expect(describedBy(element), path).toContain(reason);
  }
  expect((await input('api.prepare')).checked).toBe(true);
  const env = await find<HTMLFieldSetElement>('fieldset fieldset', 'Only an administrator sets variables.');
  expect(env.disabled).toBe(true);
  expect([...env.querySelectorAll('input')].map(({ value }) => value)).toEqual(['MODE', 'fast']);
  expect(describedBy(env)).toContain('Only an administrator sets variables.');
  expect(env.querySelectorAll('button')).toHaveLength(0);
});

it('has one line for all locked groups, and one for a locked group within another', async () => {
  await open('Set by the installation');
  expect((await find('button', 'Set by the installation')).textContent).toContain('Database');
  await click('button', 'The database is fixed.');
  expect((await input('database.port')).value).toBe('5432');
  expect((await input('database.port')).disabled).toBe(true);
  await open('API');
  expect(page.querySelector('#field-options\\.api\\.resources\\.cpu')).toBeNull();
  await click('button', 'Resources are fixed.');
  expect((await input('api.resources.cpu')).value).toBe('2');
});

it('sends no value beyond its limit and no locked option', async () => {
  sessionStorage.setItem('urumi.create.draft', '{}');
  await type(find('#field-name'), 'Shop');
  await open('API');
  await type(input('api.replicas'), '4');
  await submit();
  await find('[role=alert]', 'At most 3 is allowed.');
  expect(describedBy(await input('api.replicas'))).toContain('At most 3 is allowed.');
  expect(created).toEqual([]);

  await type(input('api.replicas'), '3');
  await submit();
  await expect
    .poll(() => created)
    .toEqual([{ name: 'Shop', id: 'shop', engine: 'medusa', options: { api: { replicas: 3 } } }]);
  expect(JSON.stringify(checked)).not.toContain('"replicas":4');
});

it('sends secrets, and neither shows nor stores them', async () => {
  answer = () =>
    Response.json(
      { type: '', title: '', detail: 'no', status: 500, code: 'internal', retryable: false },
      { status: 500 },
    );
  await type(find('#field-name'), 'Shop');
  await open('API');
  await click('#field-options\\.api\\.secretEnv');
  const [name, value] = [...(await find('fieldset fieldset', 'Secret env')).querySelectorAll('input')] as [
    HTMLInputElement,
    HTMLInputElement,
  ];
  await type(name, 'STRIPE_API_KEY');
  await type(value, 'hunter2');
  expect(value.type).toBe('password');
  expect(name.type).toBe('text');
  await submit();
  await expect
    .poll(() => created)
    .toMatchObject([{ options: { api: { secretEnv: { STRIPE_API_KEY: 'hunter2' } } } }]);
  expect(sessionStorage.getItem('urumi.create.draft')).toContain('Shop');
  expect(sessionStorage.getItem('urumi.create.key')).toContain('Shop');
  expect(JSON.stringify([{ ...sessionStorage }, { ...localStorage }, location.href])).not.toContain(
    'hunter2',
  );
  expect(page.textContent).not.toContain('hunter2');

  await click('button:not(:disabled)', 'Start over');
  await open('API');
  await input('api.replicas');
  expect(page.querySelectorAll('input[type=password]')).toHaveLength(0);
});

it('shows the problems that the API finds at their inputs', async () => {
  const errors = [{ field: 'options.api.replicas', message: 'not today' }];
  answer = () =>
    Response.json(
      { type: '', title: '', detail: 'no', status: 422, code: 'invalid', retryable: false, errors },
      { status: 422 },
    );
  await type(find('#field-name'), 'Shop');
  await submit();
  await find('[role=alert]', 'not today');
  expect(created).toHaveLength(1);
  expect(describedBy(await input('api.replicas'))).toContain('not today');
});

it('shows a warning at its input, and still creates the store', async () => {
  warnings = [{ field: 'options.storefront.env.API_KEY', message: 'looks like a secret' }];
  await type(find('#field-name'), 'Shop');
  await open('Storefront');
  await click('#field-options\\.storefront\\.env');
  const [name, value] = [...(await find('fieldset fieldset', 'Env')).querySelectorAll('input')] as [
    HTMLInputElement,
    HTMLInputElement,
  ];
  await type(name, 'API_KEY');
  await type(value, 'abc');
  await expect.poll(() => describedBy(name), { timeout: 5_000 }).toContain('Warning: looks like a secret');
  await submit();
  await expect.poll(() => created).toMatchObject([{ options: { storefront: { env: { API_KEY: 'abc' } } } }]);
});
