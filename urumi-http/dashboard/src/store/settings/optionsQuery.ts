// The options of a store: those that its request chose, and those in force.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import type { Store } from '../../api/types';
import type { StoreOptions } from './living';

export const optionsQuery = ({ id, revision }: Store) =>
  queryOptions({
    queryKey: ['store', id, 'options', revision],
    queryFn: async ({ signal }): Promise<StoreOptions> =>
      body(api.GET('/stores/{id}/options', { params: { path: { id } }, signal })),
    placeholderData: keepPreviousData,
  });
