// What happened to a store. Asked for again whenever the store changes: the watch sees to that.
import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';

export const eventsQuery = (id: string) =>
  queryOptions({
    queryKey: ['store', id, 'events'],
    queryFn: ({ signal }) => body(api.GET('/stores/{id}/events', { params: { path: { id } }, signal })),
    // Kubernetes tells of things that change nothing about the store.
    refetchInterval: 10_000,
  });
