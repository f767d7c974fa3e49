// A store's status, shown by a shape, a word and a colour.
import { Badge } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconHelpCircle,
  IconLoader2,
  IconTrash,
} from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { isKnown, type StoreStatus } from '../api/types';
import classes from './StatusBadge.module.css';

const ICON = {
  provisioning: IconLoader2,
  ready: IconCircleCheck,
  degraded: IconAlertTriangle,
  failed: IconCircleX,
  deleting: IconTrash,
} as const satisfies Record<StoreStatus, unknown>;

export function StatusBadge({ status }: { status: string }) {
  const t = useTranslations('status');
  const Icon = isKnown(status) ? ICON[status] : IconHelpCircle;
  return (
    <Badge
      className={classes.badge}
      data-status={status}
      variant="light"
      tt="none"
      leftSection={<Icon size={14} aria-hidden className={classes.icon} />}
    >
      {isKnown(status) ? t(status) : status}
    </Badge>
  );
}
