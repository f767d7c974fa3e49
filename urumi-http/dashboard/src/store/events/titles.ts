// Titles of timeline entries: urumi's own reasons and Kubernetes' well-known reasons have texts.
import { useTranslations } from 'use-intl';
import type { TimelineEntry } from '../../api/types';
import { plainReason } from '../reasons';

const OWN = [
  'Created',
  'Retried',
  'Ready',
  'Degraded',
  'Failed',
  'Deleting',
  'CreateRequested',
  'CreateFailed',
  'DeleteRequested',
  'DeleteFailed',
  'RetryRequested',
  'RetryFailed',
  'RestartRequested',
  'RestartFailed',
  'UpdateRequested',
  'UpdateFailed',
  'RollbackRequested',
  'RollbackFailed',
  'SmokeRequested',
  'SmokeFailed',
  'CredentialsRequested',
  'CredentialsFailed',
] as const;

export function useEventTitle(): (entry: TimelineEntry) => string {
  const t = useTranslations('store');
  return ({ source, type, reason, message }) => {
    if (source === 'kubernetes') {
      const plain = type === 'Warning' ? plainReason(reason, message) : undefined;
      return plain ? t(`reason.${plain}.what`) : reason;
    }
    const own = OWN.find((known) => known === reason);
    return own ? t(`events.title.${own}`) : reason;
  };
}
