// Which of the collapsed groups of options are open.
import { useState } from 'react';
import { groupValue } from './OptionGroups';
import { focusSoon } from './focus';
import { controlId, type PlacedProblem } from './problems';

export interface OpenGroups {
  /** Whether the groups are shown at all. */
  shown: boolean;
  opened: string[];
  show(shown: boolean): void;
  setOpened(opened: string[]): void;
  /** Opens the groups with these paths. */
  open(groups: string[]): void;
  /** Opens the group of a problem, and moves the focus to its input. */
  goTo(problem: PlacedProblem): void;
}

export function useOpenGroups(): OpenGroups {
  const [shown, show] = useState(false);
  const [opened, setOpened] = useState<string[]>([]);
  function open(groups: string[]) {
    if (groups.length === 0) return;
    show(true);
    setOpened((before) => [...new Set([...before, ...groups.map(groupValue)])]);
  }
  function goTo({ control, group }: PlacedProblem) {
    if (control === undefined) return;
    if (group !== undefined) open([group]);
    focusSoon(() => document.getElementById(controlId(control)));
  }
  return { shown, opened, show, setOpened, open, goTo };
}
