// The timeline of a store. It is loaded again when the watch reports a change of the store.
import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';

export const eventsQuery = (id: string) =>
  queryOptions({
    queryKey: ['store', id, 'events'],
    queryFn: ({ signal }) => body(api.GET('/stores/{id}/events', { params: { path: { id } }, signal })),
    // Some of Kubernetes' Events do not change the store.
    refetchInterval: 10_000,
  });
