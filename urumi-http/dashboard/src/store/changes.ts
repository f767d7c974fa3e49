// What changes a store: only as it was seen, so that nothing is done to something else than what one looks at.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../api/client';
import { ApiError } from '../api/problem';
import type { Store } from '../api/types';
import { applyChanges, noteStore, storesQuery } from '../live/stores';

type Change = (store: Store) => Promise<Store>;

const guarded = ({ id, resourceVersion }: Store) => ({
  params: { path: { id }, header: { 'If-Match': `"${resourceVersion}"` } },
});

export const retry: Change = (store) => body(api.POST('/stores/{id}/retry', guarded(store)));
export const remove: Change = (store) => body(api.DELETE('/stores/{id}', guarded(store)));

/** Whether the store is no longer as it was seen. */
export const hasChanged = (error: unknown) => error instanceof ApiError && error.status === 412;

export function useChange(change: Change) {
  const client = useQueryClient();
  const note = (store: Store) => {
    // The watch may have told already that it is gone: an answer that comes later must not bring it back.
    if (client.getQueryData(storesQuery.queryKey)?.has(store.id)) noteStore(client, store);
  };
  return useMutation({
    mutationFn: change,
    onSuccess: note,
    async onError(error, { id }) {
      if (error instanceof ApiError && error.status === 404) applyChanges(client, [{ id, store: null }]);
      // What it is now, without waiting for the watch: the next try is about that.
      if (hasChanged(error))
        noteStore(client, await body(api.GET('/stores/{id}', { params: { path: { id } } })));
    },
  });
}
