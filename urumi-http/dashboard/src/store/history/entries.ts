// Revisions as the history shows them: the newest first, each with the change of the name.
import type { Revision } from '../../api/types';
import type { NameChange } from '../ChangeList';

export interface Entry {
  revision: Revision;
  /** None if the name stayed, or if the revision before is not kept any more. */
  name?: NameChange;
  /** Whether the revision before is known, so that its changes are. */
  compared: boolean;
}

/** `revisions`: oldest first. */
export function entriesOf(revisions: Revision[]): Entry[] {
  return revisions
    .map((revision, index): Entry => {
      const before = revisions[index - 1];
      const renamed = before !== undefined && before.name !== revision.name;
      return {
        revision,
        compared: before !== undefined,
        ...(renamed && { name: { from: before.name, to: revision.name } }),
      };
    })
    .reverse();
}
