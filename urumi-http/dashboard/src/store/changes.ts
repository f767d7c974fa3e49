// The actions that change a store. Each is conditional on the version that the user saw.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../api/client';
import { ApiError } from '../api/problem';
import type { Store } from '../api/types';
import { applyChanges, noteStore, storesQuery } from '../live/stores';

export type Change = (store: Store) => Promise<Store>;

const guarded = ({ id, resourceVersion }: Store) => ({
  params: { path: { id }, header: { 'If-Match': `"${resourceVersion}"` } },
});

export const retry: Change = (store) => body(api.POST('/stores/{id}/retry', guarded(store)));
export const restart: Change = (store) => body(api.POST('/stores/{id}/restart', guarded(store)));
export const remove: Change = (store) => body(api.DELETE('/stores/{id}', guarded(store)));

/** Whether the store has changed since the user saw it. */
export const hasChanged = (error: unknown) => error instanceof ApiError && error.status === 412;

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
      if (hasChanged(error))
        noteStore(client, await body(api.GET('/stores/{id}', { params: { path: { id } } })));
    },
  });
}
