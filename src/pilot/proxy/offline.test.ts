import { describe, expect, test } from 'vitest';
import type { ConfigObject } from '../../model/object.ts';
import { namespace, node, pod } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { offlineProxy } from './offline.ts';

const id = 'sidecar~10.1.0.1~x.a~a.svc.cluster.local';

function proxyOf(objects: readonly ConfigObject[], metadata?: Readonly<Record<string, unknown>>) {
  const builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  const proxy = offlineProxy(id, builder.build(configSnapshot(objects)).snapshot, metadata);
  if (!proxy.ok) throw new Error(proxy.error);
  return proxy.value;
}

const world = [
  pod('a/x', { ip: '10.1.0.1', labels: { app: 'x' }, serviceAccountName: 'robot', nodeName: 'n1' }),
  node('n1', { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' }),
  namespace('istio-system', { 'topology.istio.io/network': 'west' }),
];

describe('a proxy that is not connected', () => {
  test('is its pod, by its address', () => {
    expect(proxyOf(world)).toMatchObject({
      id,
      labels: { app: 'x' },
      serviceAccount: 'robot',
      locality: { region: 'r', zone: 'z', subzone: '' },
      network: 'west',
    });
  });

  test('is what metadata say, where they do', () => {
    const metadata = { LABELS: { app: 'y' }, SERVICE_ACCOUNT: 'person', NETWORK: 'east' };
    expect(proxyOf(world, metadata)).toMatchObject({ labels: { app: 'y' }, serviceAccount: 'person', network: 'east' });
    expect(proxyOf(world, { LABELS: {} }).labels).toEqual({});
  });

  test('is what its id says where no pod has its address', () => {
    expect(proxyOf([])).toMatchObject({ namespace: 'a', labels: {}, serviceAccount: '', locality: undefined });
  });

  test('needs an id', () => {
    const { snapshot } = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' }).build(
      configSnapshot([]),
    );
    expect(offlineProxy('x.a', snapshot)).toEqual({
      ok: false,
      error: 'node id "x.a" must have four parts: type~ip~name.namespace~domain',
    });
  });
});
