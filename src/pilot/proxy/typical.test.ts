import { describe, expect, test } from 'vitest';
import type { ConfigObject } from '../../model/object.ts';
import { pod, service } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { typicalProxy } from './typical.ts';

function typicalOf(objects: readonly ConfigObject[]) {
  const builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  return typicalProxy(builder.build(configSnapshot(objects)).snapshot, 'cluster.local');
}

describe('a typical proxy', () => {
  test('is a workload of the namespace that has most', () => {
    const pods = ['a/x', 'b/y', 'b/z'].map((name, index) =>
      pod(name, { ip: `10.1.0.${index + 1}`, labels: { app: name.slice(2) } }),
    );
    expect(typicalOf(pods)).toMatchObject({
      kind: 'sidecar',
      namespace: 'b',
      addresses: ['10.1.0.2'],
      labels: { app: 'y' },
    });
  });

  test('has certificates where most have', () => {
    const pods = (count: number) =>
      ['a', 'b', 'c'].map((name, index) =>
        pod(`shop/${name}`, {
          ip: `10.1.0.${index + 1}`,
          labels: index < count ? { 'security.istio.io/tlsMode': 'istio' } : {},
        }),
      );
    expect(typicalOf(pods(2))?.identityFolder).toBe('/etc/certs');
    expect(typicalOf(pods(1))?.identityFolder).toBe('');
  });

  test('is nobody in particular where there are only services, or nothing', () => {
    expect(typicalOf([service('a/x'), service('b/y'), service('b/z')])).toMatchObject({ namespace: 'b', labels: {} });
    expect(typicalOf([])).toMatchObject({ namespace: 'default', labels: {} });
  });
});
