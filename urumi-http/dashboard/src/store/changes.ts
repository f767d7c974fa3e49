// The actions that change a store. Each is conditional on the version that the user saw.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../api/client';
import { ApiError } from '../api/problem';
import type { Store, UpdatePreview, UpdateStore } from '../api/types';
import { applyChanges, noteStore, storesQuery } from '../live/stores';

export type Change = (store: Store) => Promise<Store>;

const guarded = ({ id, resourceVersion }: Store) => ({
  params: { path: { id }, header: { 'If-Match': `"${resourceVersion}"` } },
});

export const retry: Change = (store) => body(api.POST('/stores/{id}/retry', guarded(store)));
export const restart: Change = (store) => body(api.POST('/stores/{id}/restart', guarded(store)));
export const remove: Change = (store) => body(api.DELETE('/stores/{id}', guarded(store)));

export const rollBack =
  (to: number): Change =>
  async (store) => {
    const { params } = guarded(store);
    // Without `dryRun`, the answer is the store.
    return (await body(api.POST('/stores/{id}/rollback', { params: { ...params, query: { to } } }))) as Store;
  };

const MERGE_PATCH = { 'Content-Type': 'application/merge-patch+json' };

export const update =
  (request: UpdateStore): Change =>
  async (store) => {
    const answer = api.PATCH('/stores/{id}', { ...guarded(store), headers: MERGE_PATCH, body: request });
    // Without `dryRun`, the answer is the store.
    return (await body(answer)) as Store;
  };

/** What an update would do. */
export async function previewUpdate(
  id: string,
  request: UpdateStore,
  signal: AbortSignal,
): Promise<UpdatePreview> {
  const params = { path: { id }, query: { dryRun: true } };
  const answer = api.PATCH('/stores/{id}', { params, headers: MERGE_PATCH, body: request, signal });
  return (await body(answer)) as UpdatePreview;
}

/** Whether the store has changed since the user saw it. */
export const hasChanged = (error: unknown) => error instanceof ApiError && error.status === 412;

const load = (id: string) => body(api.GET('/stores/{id}', { params: { path: { id } } }));

const ATTEMPTS = 5;

/**
 * Repeats a change if the store has only another status than the user saw, as it often has during a rollout. If it has
 * another revision, somebody has changed it.
 */
export const despiteStatus =
  (change: Change): Change =>
  async (store) => {
    let seen = store;
    for (let attempt = 1; ; attempt++) {
      try {
        return await change(seen);
      } catch (error) {
        if (!hasChanged(error) || attempt === ATTEMPTS) throw error;
        seen = await load(store.id);
        if (seen.revision !== store.revision || seen.createdAt !== store.createdAt) throw error;
      }
    }
  };

export function useChange(change: Change) {
  const client = useQueryClient();
  const note = (store: Store) => {
    // The watch may have reported the deletion already. A later answer must not bring the store back.
    if (client.getQueryData(storesQuery.queryKey)?.has(store.id)) noteStore(client, store);
  };
  return useMutation({
    mutationFn: change,
    onSuccess: note,
    async onError(error, { id }) {
      if (error instanceof ApiError && error.status === 404) applyChanges(client, [{ id, store: null }]);
      // Loads the current version without waiting for the watch, for the next attempt.
      if (hasChanged(error)) noteStore(client, await load(id));
    },
  });
}
