// Creates, watches, changes and deletes a store with the client that @hey-api/openapi-ts makes of the API's description.
// Usage: URUMI_TOKEN=TOKEN node flow.js URL
import assert from 'node:assert/strict';
import { createClient } from './client/client/index.js';
import {
  createStore,
  deleteStore,
  getStore,
  getStoreCredentials,
  getStoreLogs,
  getStoreOptions,
  listStores,
  previewStore,
  retryStore,
  watchStores,
  whoAmI,
  type CreateStore,
  type Store,
} from './client/index.js';

const client = createClient({ baseUrl: process.argv[2], auth: process.env.URUMI_TOKEN });
const id = 'typescript';
const request: CreateStore = {
  name: 'My Shop',
  engine: 'medusa',
  id,
  owner: null,
  labels: { client: 'typescript' },
  options: { api: { replicas: 2 } },
};
const labelSelector = 'client=typescript';

const who = await whoAmI({ client, throwOnError: true });
assert.equal(who.data.role, 'admin');

const wrong = await createStore({ client, body: { ...request, name: '', engine: 'magento' } });
assert.equal(wrong.response?.status, 422);
assert.equal(wrong.error?.code, 'invalid');
assert.deepEqual(wrong.error?.errors?.map(({ field }) => field).sort(), ['engine', 'name']);

const preview = await previewStore({ client, body: request, throwOnError: true });
assert.equal(preview.data.objects[0]?.kind, 'Namespace');

const stop = new AbortController();
const { stream } = await watchStores({ client, query: { labelSelector }, signal: stop.signal });
/** The store after the next event; null if it is gone. */
async function next(): Promise<Store | null> {
  const { value } = await stream.next();
  assert(value && !Array.isArray(value));
  assert.equal(value.id, id);
  return 'status' in value ? value : null;
}
const listed = await stream.next();
assert.deepEqual(listed.value, []);

const headers = { 'Idempotency-Key': crypto.randomUUID() };
const created = await createStore({ client, body: request, headers, throwOnError: true });
assert.equal(created.data.status, 'provisioning');
assert.equal((await next())?.id, id);
const again = await createStore({ client, body: request, headers, throwOnError: true });
assert.equal(again.response?.headers.get('Idempotency-Replayed'), 'true');
assert.equal(again.data.id, created.data.id);

const retried = await retryStore({ client, path: { id }, throwOnError: true });
assert.equal(retried.data.status, 'provisioning');
for (let store = await next(); store?.status !== 'ready'; store = await next()) assert(store);

const { resourceVersion } = retried.data;
const query = { labelSelector, status: ['ready', 'degraded'], resourceVersion };
const ready = await listStores({ client, query, throwOnError: true });
assert.deepEqual(ready.data.map((store) => store.id), [id]);
const options = await getStoreOptions({ client, path: { id }, throwOnError: true });
assert.deepEqual(options.data.requested, request.options);
const logs = await getStoreLogs({ client, path: { id }, query: { tail: 5, since: '1h' }, throwOnError: true });
assert(logs.response?.headers.get('Content-Type')?.startsWith('text/plain'));
const hidden = await getStoreCredentials({ client, path: { id }, throwOnError: true });
assert.equal(hidden.data.password, undefined);
const shown = await getStoreCredentials({ client, path: { id }, query: { reveal: true }, throwOnError: true });
assert.equal(shown.data.password?.length, 20);

const stale = await deleteStore({ client, path: { id }, headers: { 'If-Match': '"1"' } });
assert.equal(stale.error?.code, 'precondition-failed');
const deleted = await deleteStore({ client, path: { id }, throwOnError: true });
assert.equal(deleted.data.status, 'deleting');
while ((await next()) !== null);
stop.abort();
const gone = await getStore({ client, path: { id } });
assert.equal(gone.error?.code, 'not-found');
