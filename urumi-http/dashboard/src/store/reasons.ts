// Which of Kubernetes' and urumi's reasons there are plain words for, and which others mean the same.

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

/** The reason to look up in the texts; none where nobody has found plain words yet. */
export function plainReason(reason: string, message = ''): Reason | undefined {
  // The scheduler has one word for two things.
  if (reason === 'FailedScheduling' && message.includes('unbound immediate')) return 'ClaimUnbound';
  if (Object.hasOwn(SAME, reason)) return SAME[reason];
  return REASONS.find((known) => known === reason);
}

/** Part of every start: nothing is wrong yet. */
const ORDINARY = new Set(['Starting', 'NotReady', 'Missing', 'Creating']);
/** What may be no more than a consequence of something before it that is not there yet. */
const CONSEQUENCES = new Set(['CrashLoopBackOff', 'BackOff', 'Error', 'Unhealthy']);
/** What comes and goes in a start that goes well, and means something only when it stays. */
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
