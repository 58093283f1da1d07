import { describe, expect, test } from 'vitest';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import { destinationRule, endpointSlice, object, pod, service } from '../../testing/builders.ts';
import { configSnapshot, nextConfig } from '../../testing/config.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import { Verdicts } from '../../xds/verdicts.ts';
import { parseProxy } from '../proxy/node.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { Views } from './views.ts';

const takesMutualTls = { 'security.istio.io/tlsMode': 'istio' };

function serverPod(name: string, ip: string, account: string): ConfigObject<'Pod'> {
  const [, app = ''] = name.split('/');
  const labels = { app: app.replace(/-.*/, ''), ...takesMutualTls };
  return pod(name, { ip, serviceAccountName: account, labels });
}

function slice(name: string, ...addresses: readonly string[]): ConfigObject<'EndpointSlice'> {
  return endpointSlice(name, { endpoints: addresses, ports: { http: 8080 } });
}

const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
const objects = [
  service('a/x', { ports }),
  slice('a/x', '10.1.0.1'),
  serverPod('a/x', '10.1.0.1', 'x'),
  service('b/y', { ports }),
  slice('b/y', '10.1.0.3'),
  serverPod('b/y', '10.1.0.3', 'y'),
];

const who = parseProxy({
  id: 'sidecar~10.1.0.1~x.a~a.svc.cluster.local',
  metadata: { IDENTITY_FOLDER: '/etc/certs', LABELS: { app: 'x' } },
  locality: { region: '', zone: '', subZone: '' },
  cluster: '',
  userAgentName: '',
  userAgentVersion: '',
  clientFeatures: [],
});

class World {
  readonly #views = new Views(new Verdicts());
  readonly #builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  #config = configSnapshot(objects);
  #mesh: MeshSnapshot = this.#builder.build(this.#config).snapshot;

  /** What a proxy is sent again after the edit, by name. */
  moves(...upserts: readonly ConfigObject[]): readonly string[] {
    const before = this.#resources();
    this.#config = nextConfig(this.#config, { upserts });
    this.#mesh = this.#builder.build(this.#config).snapshot;
    const after = this.#resources();
    return [...after]
      .flatMap(([name, resource]) => (before.get(name)?.version === resource.version ? [] : [name]))
      .sort();
  }

  /** What owners are told of a mesh with these objects. */
  told(...upserts: readonly ConfigObject[]): readonly string[] {
    this.moves(...upserts);
    return this.#views.diagnostics().map(({ code, object: about }) => `${code} ${about?.kind} ${about?.name}`);
  }

  #resources(): ReadonlyMap<string, EncodedResource> {
    if (!who.ok) throw new Error(who.error);
    const sets = [...this.#views.snapshotFor(this.#mesh, who.value).values()];
    return new Map(
      sets.flatMap(({ typeUrl, resources }) =>
        [...resources].map(([name, resource]) => [`${typeUrl.split('.').at(-1)} ${name}`, resource] as const),
      ),
    );
  }
}

function peerAuthentication(name: string, mode: 'DISABLE' | 'STRICT'): ConfigObject<'PeerAuthentication'> {
  return object('PeerAuthentication', name, { mtls: { mode } });
}

describe('what a change costs', () => {
  const ofY = 'outbound|80||y.b.svc.cluster.local';

  test('a pod under a known account moves the endpoints alone', () => {
    const moved = new World().moves(slice('b/y', '10.1.0.3', '10.1.0.4'), serverPod('b/y-2', '10.1.0.4', 'y'));
    expect(moved).toEqual([`ClusterLoadAssignment ${ofY}`]);
  });

  test('a pod under another account moves its service’s cluster too, and no other', () => {
    const moved = new World().moves(slice('b/y', '10.1.0.3', '10.1.0.4'), serverPod('b/y-2', '10.1.0.4', 'other'));
    expect(moved).toEqual([`Cluster ${ofY}`, `ClusterLoadAssignment ${ofY}`]);
  });

  test('a server that takes no mutual TLS any more moves its endpoints, for its clients', () => {
    expect(new World().moves(peerAuthentication('b/p', 'DISABLE'))).toEqual([`ClusterLoadAssignment ${ofY}`]);
  });

  test('STRICT moves nothing for clients, and the workload’s own listener', () => {
    const world = new World();
    expect(world.moves(peerAuthentication('b/p', 'STRICT'))).toEqual([]);
    expect(world.moves(peerAuthentication('a/p', 'STRICT'))).toEqual(['Listener virtualInbound']);
  });

  test('a policy for others moves nothing', () => {
    expect(new World().moves(peerAuthentication('c/p', 'DISABLE'))).toEqual([]);
  });
});

describe('a rule that has clients speak what servers do not take', () => {
  const asks = (mode: 'DISABLE' | 'ISTIO_MUTUAL'): ConfigObject =>
    destinationRule('a/all', { host: '*.local', trafficPolicy: { tls: { mode } } });
  const conflict = ['IST0113 DestinationRule all'];

  test.each([
    ['ISTIO_MUTUAL', 'DISABLE', conflict],
    ['DISABLE', 'STRICT', conflict],
    ['ISTIO_MUTUAL', 'STRICT', []],
    ['DISABLE', 'DISABLE', []],
  ] as const)('%s, and servers with %s', (mode, servers, expected) => {
    expect(new World().told(asks(mode), peerAuthentication('b/p', servers))).toEqual(expected);
  });
});
