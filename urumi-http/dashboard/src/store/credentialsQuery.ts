// Where and as whom one signs in to a store: without the password, which no cache ever has.
import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../api/client';

export const credentialsQuery = (id: string) =>
  queryOptions({
    queryKey: ['store', id, 'credentials'],
    queryFn: ({ signal }) =>
      body(
        api.GET('/stores/{id}/credentials', { params: { path: { id }, query: { reveal: false } }, signal }),
      ),
    retry: false,
  });
