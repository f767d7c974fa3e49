// The address and user name of a store's first sign-in, without the password, which is never cached.
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
