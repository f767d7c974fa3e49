// Whether an address answers, according to the store's conditions.
import type { Condition, Store } from '../api/types';
import { componentOf } from './pipeline';

export type Health = 'up' | 'down' | 'pending';

/** The health of the address of `component`, or of the whole store if it has no such component. */
export function health(store: Store, component: string): Health {
  const find = (wanted: (condition: Condition) => boolean) => store.conditions.find(wanted);
  const served = find(({ type }) => type === 'AddressesServed');
  const behind = find(({ type }) => componentOf(type) === component) ?? find(({ type }) => type === 'Ready');
  if (behind?.status === 'True' && served?.status !== 'False') return 'up';
  return store.status === 'provisioning' ? 'pending' : 'down';
}
