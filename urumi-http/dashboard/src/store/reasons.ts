// The reasons of Kubernetes and urumi that have plain texts, and other reasons with the same meaning.

/** Each has `what` and `todo` in the texts. */
export const REASONS = [
  'ImagePullBackOff',
  'InvalidImageName',
  'CrashLoopBackOff',
  'OutOfMemory',
  'Unschedulable',
  'ClaimUnbound',
  'ClaimLost',
  'StorageClass',
  'QuotaExceeded',
  'PodSecurityViolation',
  'FailedCreate',
  'CreateContainerConfigError',
  'FailedMount',
  'Unhealthy',
  'IngressClassNotFound',
  'NoDefaultIngressClass',
  'IngressClassesUnreadable',
  'Forbidden',
  'SmokeTestFailed',
  'DeadlineExceeded',
  'Missing',
  'Creating',
  'Starting',
  'NotReady',
] as const;
export type Reason = (typeof REASONS)[number];

const SAME: Record<string, Reason> = {
  ErrImagePull: 'ImagePullBackOff',
  ErrImageNeverPull: 'ImagePullBackOff',
  ImageInspectError: 'InvalidImageName',
  BackOff: 'CrashLoopBackOff',
  Error: 'CrashLoopBackOff',
  RunContainerError: 'CrashLoopBackOff',
  StartError: 'CrashLoopBackOff',
  BackoffLimitExceeded: 'CrashLoopBackOff',
  OOMKilled: 'OutOfMemory',
  FailedScheduling: 'Unschedulable',
  ProvisioningFailed: 'ClaimUnbound',
  FailedBinding: 'ClaimUnbound',
  StorageClassNotFound: 'StorageClass',
  NoDefaultStorageClass: 'StorageClass',
  CreateContainerError: 'CreateContainerConfigError',
  FailedAttachVolume: 'FailedMount',
};

/** The reason to look up in the texts; none if there is no text for it. */
export function plainReason(reason: string, message = ''): Reason | undefined {
  // The scheduler uses one reason for two problems.
  if (reason === 'FailedScheduling' && message.includes('unbound immediate')) return 'ClaimUnbound';
  if (Object.hasOwn(SAME, reason)) return SAME[reason];
  return REASONS.find((known) => known === reason);
}

/** Part of every start, not a problem. */
const ORDINARY = new Set(['Starting', 'NotReady', 'Missing', 'Creating']);
/** May be only a consequence of an earlier step that is not done yet. */
const CONSEQUENCES = new Set(['CrashLoopBackOff', 'BackOff', 'Error', 'Unhealthy']);
/** Occurs temporarily in a normal start; a problem only if it lasts. */
const PASSING = new Set([
  'Unschedulable',
  'ClaimUnbound',
  'FailedScheduling',
  'Unhealthy',
  'BackOff',
  'FailedMount',
  'ProvisioningFailed',
  'FailedBinding',
]);

export const isOrdinary = (reason: string) => ORDINARY.has(reason);
export const isConsequence = (reason: string) => ORDINARY.has(reason) || CONSEQUENCES.has(reason);
export const isPassing = (reason: string) => PASSING.has(reason);
