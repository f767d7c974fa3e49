// The store of the current page, for the page's components.
import { createContext, use } from 'react';
import type { Store } from '../api/types';

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = use(StoreContext);
  if (!store) throw new Error('there is no store around this');
  return store;
}
