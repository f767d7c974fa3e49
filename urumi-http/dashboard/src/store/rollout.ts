// Whether the present revision of a store is in force, computed from its conditions.
import type { Store } from '../api/types';

/** `outdated`: in force, but this version of urumi makes new stores differently. */
export type RolloutState = 'rolling' | 'done' | 'failed' | 'rolledBack' | 'outdated';

export interface Rollout {
  state: RolloutState;
  revision: number;
  /** The API's words: what is waited for, or why it failed. */
  message: string;
}

const STATES: Record<string, RolloutState> = {
  Rolling: 'rolling',
  Failed: 'failed',
  RolledBack: 'rolledBack',
  NewRenderer: 'outdated',
};

/** The rollout of the present revision; none for a store that was never changed. */
export function rolloutOf(store: Store): Rollout | undefined {
  const { revision = 1, observedRevision = revision } = store;
  // The conditions are still about an earlier revision.
  if (observedRevision < revision) return { state: 'rolling', revision, message: '' };
  const condition = store.conditions.find(({ type }) => type === 'UpToDate');
  if (!condition) return undefined;
  const { status, reason, message = '' } = condition;
  if (status === 'True') return { state: 'done', revision, message };
  return { state: STATES[reason] ?? (status === 'False' ? 'failed' : 'rolling'), revision, message };
}
