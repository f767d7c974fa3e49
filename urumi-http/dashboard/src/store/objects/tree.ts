// A store's objects as a tree, grouped by purpose.
import type { components } from '../../api/schema';

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}
export type Difference = components['schemas']['Difference'];

export const GROUPS = [
  'workloads',
  'services',
  'addresses',
  'storage',
  'policies',
  'secrets',
  'others',
] as const;
export type GroupName = (typeof GROUPS)[number];

const GROUP: Record<string, GroupName> = {
  Deployment: 'workloads',
  StatefulSet: 'workloads',
  DaemonSet: 'workloads',
  Job: 'workloads',
  CronJob: 'workloads',
  Pod: 'workloads',
  Service: 'services',
  Ingress: 'addresses',
  HTTPRoute: 'addresses',
  Certificate: 'addresses',
  PersistentVolumeClaim: 'storage',
  NetworkPolicy: 'policies',
  ResourceQuota: 'policies',
  LimitRange: 'policies',
  ServiceAccount: 'policies',
  Role: 'policies',
  RoleBinding: 'policies',
  Secret: 'secrets',
  ConfigMap: 'secrets',
};

export interface Leaf {
  /** `Deployment/medusa-api`; unique within a store. */
  key: string;
  object: KubeObject;
  component?: string | undefined;
  /** The repair's action on the object. */
  difference?: Difference | undefined;
}

export interface Tree {
  root: Leaf | undefined;
  groups: { name: GroupName; leaves: Leaf[] }[];
}

export const keyOf = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.name}`;

/** The object's name in a difference: `Deployment store-abc/medusa-api`, `Namespace store-abc`. */
function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
}

export function tree(objects: KubeObject[], differences: Difference[]): Tree {
  const byName = new Map(differences.map((difference) => [difference.object, difference]));
  const leaves = objects.map((object): Leaf => ({
    key: keyOf(object),
    object,
    component: object.metadata.labels?.['app.kubernetes.io/component'],
    difference: byName.get(nameOf(object)),
  }));
  const root = leaves.find(({ object }) => object.kind === 'Namespace');
  const groups = GROUPS.map((name) => ({
    name,
    leaves: leaves.filter((leaf) => leaf !== root && groupOf(leaf.object.kind) === name),
  }));
  return { root, groups: groups.filter(({ leaves }) => leaves.length > 0) };
}

function groupOf(kind: string): GroupName {
  return Object.hasOwn(GROUP, kind) ? (GROUP[kind] ?? 'others') : 'others';
}
