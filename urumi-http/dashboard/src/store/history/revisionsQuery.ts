// The revisions of a store, oldest first. Those of the revision before stay until the new ones are there.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import type { Store } from '../../api/types';

export const revisionsQuery = ({ id, revision, observedRevision }: Store) =>
  queryOptions({
    // A list of stores, unlike the watch, does not say which of them have changed.
    queryKey: ['store', id, 'revisions', revision, observedRevision],
    queryFn: ({ signal }) => body(api.GET('/stores/{id}/revisions', { params: { path: { id } }, signal })),
    placeholderData: keepPreviousData,
  });
