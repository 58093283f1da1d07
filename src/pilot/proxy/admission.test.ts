import { expect, test } from 'vitest';
import type { ConfigObject } from '../../model/object.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import { node, pod, workloadEntry } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { ProxyAdmission, type ProxyAuthentication } from './admission.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' };

async function admit(
  authentication: ProxyAuthentication | undefined,
  id: string,
  {
    objects = [],
    metadata = {},
  }: { objects?: readonly ConfigObject[]; metadata?: Readonly<Record<string, unknown>> } = {},
) {
  const admission = new ProxyAdmission({
    authenticator: authentication && { authenticate: () => Promise.resolve(authentication) },
    clusterId: 'Kubernetes',
    log: silentLogger,
    metrics: new PromMetrics(),
  });
  const mesh = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  const { snapshot } = mesh.build(configSnapshot(objects));
  const info = {
    ...{ id, cluster: '', metadata, locality: { region: '', zone: '', subZone: '' } },
    ...{ userAgentName: '', userAgentVersion: '', clientFeatures: [] },
  };
  return await admission.admit(info, { peer: 'test', credentials: {} }, () => snapshot);
}

const id = 'sidecar~10.1.0.1~web-1.shop~shop.svc.cluster.local';
const known: ProxyAuthentication = { kind: 'known', identity };

test.each([
  ['where nobody judges', undefined],
  ['where the transport proves nothing', { kind: 'unproven' }],
] as const)('%s, a proxy is whoever it says, and has proven nothing', async (_, authentication) => {
  const admitted = await admit(authentication, id, { metadata: { LABELS: { app: 'x' } } });
  expect(admitted).toMatchObject({ ok: true, value: { labels: { app: 'x' }, identity: undefined } });
});

test('nobody is asked what he claims before it is known who he is', async () => {
  expect(await admit({ kind: 'unknown', reason: 'secret detail' }, 'nonsense')).toEqual({
    ok: false,
    error: { code: 16, message: 'authentication failed' },
  });
  expect(await admit({ kind: 'unavailable', reason: 'down' }, 'nonsense')).toMatchObject({ error: { code: 14 } });
  expect(await admit(known, 'nonsense')).toMatchObject({ error: { code: 3 } });
});

test('in a mesh that knows no workloads, a proxy is what its identity and it say', async () => {
  const admitted = await admit(known, id, { metadata: { LABELS: { app: 'x' } } });
  expect(admitted).toMatchObject({ ok: true, value: { labels: { app: 'x' }, serviceAccount: 'web', identity } });
});

test('a pod on its host’s network is known by its name', async () => {
  const objects = [
    node('n1'),
    pod('shop/web-1', { ip: '10.0.0.1', hostNetwork: true, serviceAccountName: 'web', labels: { app: 'web' } }),
    pod('shop/other', { ip: '10.0.0.1', hostNetwork: true, serviceAccountName: 'other' }),
  ];
  const hostId = 'sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local';
  expect(await admit(known, hostId, { objects })).toMatchObject({ ok: true, value: { labels: { app: 'web' } } });
  const other = 'sidecar~10.0.0.1~other.shop~shop.svc.cluster.local';
  expect(await admit(known, other, { objects })).toMatchObject({ ok: false, error: { code: 7 } });
});

test('a machine outside is known by the address of its WorkloadEntry, and has its labels', async () => {
  const objects = [
    pod('shop/somebody', { ip: '10.1.0.9' }),
    workloadEntry('shop/vm', { address: '10.9.0.1', serviceAccount: 'web', labels: { app: 'vm' } }),
  ];
  const vm = 'sidecar~10.9.0.1~vm.shop~shop.svc.cluster.local';
  expect(await admit(known, vm, { objects, metadata: { LABELS: { app: 'forged' } } })).toMatchObject({
    ok: true,
    value: { labels: { app: 'vm' } },
  });
  expect(await admit(known, vm.replace('10.9.0.1', '10.9.0.2'), { objects })).toMatchObject({ error: { code: 14 } });
});

test('a pod that has no address yet may have any that is nobody’s', async () => {
  const objects = [pod('shop/web-1', { podIPs: [], serviceAccountName: 'web', labels: { app: 'web' } })];
  expect(await admit(known, id, { objects })).toMatchObject({ ok: true, value: { labels: { app: 'web' } } });
});
