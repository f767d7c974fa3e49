import { expect, it } from 'vitest';
import { tree, type KubeObject } from './tree';

const object = (kind: string, name: string, component?: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    ...(kind !== 'Namespace' && { namespace: 'store-a' }),
    ...(component && { labels: { 'app.kubernetes.io/component': component } }),
  },
});

it('puts a store’s objects beneath its namespace, by what they are for', () => {
  const objects = [
    object('Namespace', 'store-a'),
    object('Secret', 's'),
    object('Deployment', 'api', 'api'),
    object('toString', 'odd'),
  ];
  const { root, groups } = tree(objects, []);
  expect(root?.key).toBe('Namespace/store-a');
  expect(groups.map(({ name, leaves }) => [name, ...leaves.map(({ key }) => key)])).toEqual([
    ['workloads', 'Deployment/api'],
    ['secrets', 'Secret/s'],
    ['others', 'toString/odd'],
  ]);
  expect(groups[0]?.leaves[0]?.component).toBe('api');
});

it('marks what differs', () => {
  const objects = [object('Namespace', 'store-a'), object('Service', 'api'), object('Deployment', 'api')];
  const { root, groups } = tree(objects, [
    { action: 'repair', object: 'Deployment store-a/api', fields: [] },
    { action: 'create', object: 'Namespace store-a', fields: [] },
  ]);
  expect(root?.difference?.action).toBe('create');
  expect(groups.map(({ leaves }) => leaves[0]?.difference?.action)).toEqual(['repair', undefined]);
});
