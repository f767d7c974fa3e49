// Shows whether something works, by shape and colour. The same in words stands next to it.
import { IconCircleCheckFilled, IconCircleDashed, IconCircleXFilled } from '@tabler/icons-react';
import type { Health } from './health';
import classes from './HealthMark.module.css';

const ICON = {
  up: IconCircleCheckFilled,
  down: IconCircleXFilled,
  pending: IconCircleDashed,
} as const satisfies Record<Health, unknown>;

export function HealthMark({ health, size }: { health: Health; size: number }) {
  const Icon = ICON[health];
  return (
    <span className={classes.mark} data-health={health}>
      <Icon size={size} aria-hidden />
    </span>
  );
}
