import { describe, expect, test } from 'vitest';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Proxy } from '../../model/proxy.ts';
import {
  destinationRule,
  endpointSlice,
  gateway,
  node,
  object,
  pod,
  routeTo,
  service,
  sidecar,
  virtualService,
} from '../../testing/builders.ts';
import { type ConfigEdit, configSnapshot, meshConfig, nextConfig } from '../../testing/config.ts';
import type { XdsSnapshot } from '../../xds/ports.ts';
import type { ResourceSet } from '../../xds/resource-set.ts';
import { TypeUrls } from '../../xds/type-urls.ts';
import { Verdicts } from '../../xds/verdicts.ts';
import { parseProxy } from '../proxy/node.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { Views } from './views.ts';

type ProxyText = {
  readonly ip?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly type?: 'sidecar' | 'router';
};

/** A proxy `a/x`: pod x of namespace a. */
function proxy(name: string, { ip = '10.9.9.9', labels, metadata, type = 'sidecar' }: ProxyText = {}): Proxy {
  const [namespace = '', own = ''] = name.split('/');
  const parsed = parseProxy({
    id: `${type}~${ip}~${own}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { ...(labels === undefined ? {} : { LABELS: labels }), ...metadata },
    locality: { region: '', zone: '', subZone: '' },
    ...{ cluster: '', userAgentName: '', userAgentVersion: '', clientFeatures: [] },
  });
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

class World {
  readonly views = new Views(new Verdicts());
  readonly #builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  #config = configSnapshot([]);
  mesh: MeshSnapshot;

  constructor(objects: readonly ConfigObject[]) {
    this.mesh = this.edit({ upserts: objects });
  }

  edit(edit: ConfigEdit): MeshSnapshot {
    this.#config = nextConfig(this.#config, edit);
    this.mesh = this.#builder.build(this.#config).snapshot;
    return this.mesh;
  }

  see(who: Proxy): XdsSnapshot {
    return this.views.snapshotFor(this.mesh, who);
  }
}

const objects = [
  service('a/x', { ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
  endpointSlice('a/x', { endpoints: ['10.1.0.1', '10.1.0.2'], ports: { http: 8080 } }),
  pod('a/x', { ip: '10.1.0.1' }),
  pod('a/x-2', { ip: '10.1.0.2', labels: { app: 'x' } }),
  service('b/y'),
  endpointSlice('b/y', { endpoints: ['10.1.0.3'] }),
  pod('b/y', { ip: '10.1.0.3' }),
];

/** The sets that are other objects now, by short names. */
function moved(before: XdsSnapshot, after: XdsSnapshot): readonly string[] {
  const isSame = (url: string, set: ResourceSet): boolean => before.get(url) === set;
  const urls = [...after].filter(([url, set]) => !isSame(url, set)).map(([url]) => url);
  return Object.entries(TypeUrls).flatMap(([name, url]) => (urls.includes(url) ? [name] : []));
}

describe('who shares a view', () => {
  test('one proxy asked twice, and equal ones', () => {
    const world = new World(objects);
    const [one, other] = [proxy('a/c-1'), proxy('a/c-2', { ip: '10.9.9.8', labels: { pod: 'c-2' } })];
    expect(world.see(one)).toBe(world.see(one));
    expect(world.see(other)).toBe(world.see(one));
  });

  test('replicas of one workload, though each has targets of its own', () => {
    const world = new World(objects);
    const [one, other] = [proxy('a/x', { ip: '10.1.0.1' }), proxy('a/x-2', { ip: '10.1.0.2' })];
    expect(world.see(one)).toBe(world.see(other));
    expect(world.see(one).get(TypeUrls.cluster)?.resources.has('inbound|8080||')).toBe(true);
  });

  test('labels count only where a rule asks for them', () => {
    const world = new World(objects);
    const [v1, v2] = ['v1', 'v2'].map((version) => proxy('a/c', { labels: { version, other: version } }));
    if (v1 === undefined || v2 === undefined) throw new Error('nobody');
    expect(world.see(v1)).toBe(world.see(v2));
    const match = [{ sourceLabels: { version: 'v1' } }];
    world.edit({
      upserts: [virtualService('a/x', { hosts: ['x'], http: [routeTo('x', {}, { match }), routeTo('x')] })],
    });
    expect(moved(world.see(v1), world.see(v2))).toEqual(expect.arrayContaining(['route']));
  });

  test('rules for chosen workloads set those apart', () => {
    const rule = destinationRule('a/x', {
      host: 'x',
      workloadSelector: { matchLabels: { tier: 'front' } },
      trafficPolicy: { connectionPool: { tcp: { maxConnections: 7 } } },
    });
    const world = new World([...objects, rule]);
    const [front, back] = ['front', 'back'].map((tier) => proxy('a/c', { labels: { tier } }));
    if (front === undefined || back === undefined) throw new Error('nobody');
    const name = 'outbound|80||x.a.svc.cluster.local';
    const [own, others] = [front, back].map((who) => world.see(who).get(TypeUrls.cluster)?.resources.get(name));
    expect(own?.version).not.toBe(others?.version);
    expect(own?.origins).toContainEqual({
      kind: 'DestinationRule',
      namespace: 'a',
      name: 'x',
      path: 'spec.trafficPolicy',
    });
  });

  test('a proxy that tells no labels has those of its pod', () => {
    const chosen = sidecar('a/x', { workloadSelector: { labels: { app: 'x' } }, egress: [{ hosts: ['./*'] }] });
    const world = new World([...objects, chosen]);
    const clusters = (who: Proxy) => [...(world.see(who).get(TypeUrls.cluster)?.resources.keys() ?? [])];
    expect(clusters(proxy('a/x', { ip: '10.1.0.1', labels: { app: 'x' } }))).not.toContain(
      'outbound|80||y.b.svc.cluster.local',
    );
    expect(clusters(proxy('a/c'))).toContain('outbound|80||y.b.svc.cluster.local');
  });
});

describe('where places matter', () => {
  const near = destinationRule('a/x', {
    host: 'x',
    trafficPolicy: { outlierDetection: {}, loadBalancer: { localityLbSetting: { enabled: true } } },
  });
  const zones = ['z1', 'z2'].map((zone) =>
    node(zone, { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': zone }),
  );
  const clients = ['z1', 'z1', 'z2'].map((zone, index) =>
    pod(`a/c-${index}`, { ip: `10.1.1.${index}`, labels: { app: 'c', 'pod-index': String(index) }, nodeName: zone }),
  );
  const proxies = [0, 1, 2].map((index) =>
    proxy(`a/c-${index}`, { ip: `10.1.1.${index}`, labels: { app: 'c', 'pod-index': String(index) } }),
  );

  test('proxies of one zone share what they get, whatever else they are called', () => {
    const world = new World([...objects, ...zones, ...clients, near]);
    const [one, same, other] = proxies.map((who) => world.see(who));
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  test('proxies of all zones share it where no rule asks for zones', () => {
    const world = new World([...objects, ...zones, ...clients]);
    expect(new Set(proxies.map((who) => world.see(who))).size).toBe(1);
  });

  test('labels count where a rule goes by them', () => {
    const setting = { enabled: true, failoverPriority: ['pod-index', 'app=c'] };
    const byLabel = destinationRule('a/x', {
      host: 'x',
      trafficPolicy: { outlierDetection: {}, loadBalancer: { localityLbSetting: setting } },
    });
    const world = new World([...objects, ...zones, ...clients, byLabel]);
    expect(new Set(proxies.map((who) => world.see(who))).size).toBe(3);
  });
});

describe('what a change moves', () => {
  const client = proxy('a/c');

  test('nothing of it: not even the snapshot', () => {
    const world = new World(objects);
    const before = world.see(client);
    world.edit({ upserts: [virtualService('b/y', { hosts: ['y'], exportTo: ['.'] })] });
    expect(world.see(client)).toBe(before);
  });

  test.each([
    ['an endpoint', [endpointSlice('a/x', { endpoints: ['10.1.0.1'], ports: { http: 8080 } })], ['endpoint']],
    ['a route', [virtualService('a/x', { hosts: ['x'], http: [routeTo('x', {}, { timeout: '7s' })] })], ['route']],
    [
      'a policy',
      [destinationRule('a/x', { host: 'x', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } })],
      ['cluster'],
    ],
    ['a gateway', [gateway('a/front')], []],
  ])('%s: its own type', (_, upserts, types) => {
    const world = new World(objects);
    const before = world.see(client);
    world.edit({ upserts });
    expect(moved(before, world.see(client))).toEqual(types);
  });

  test('one resource of many: the others are the objects they were', () => {
    const world = new World(objects);
    const before = world.see(client).get(TypeUrls.cluster)?.resources;
    world.edit({ upserts: [destinationRule('a/x', { host: 'x', subsets: [{ name: 'v1' }] })] });
    const after = world.see(client).get(TypeUrls.cluster)?.resources;
    const other = [...(after ?? [])].filter(([name, resource]) => before?.get(name) !== resource).map(([name]) => name);
    expect(other).toEqual(['outbound|80||x.a.svc.cluster.local', 'outbound|80|v1|x.a.svc.cluster.local']);
  });

  test('what went and came again is what it was', () => {
    const world = new World(objects);
    const before = world.see(client);
    const [first] = objects;
    if (first === undefined) throw new Error('nothing');
    world.edit({ deletes: [first] });
    expect(world.see(client)).not.toEqual(before);
    world.edit({ upserts: [first] });
    const after = world.see(client);
    for (const [url, { resources }] of after) {
      const versions = [...resources].map(([name, { version }]) => [name, version]);
      expect(Object.fromEntries(versions)).toEqual(
        Object.fromEntries([...(before.get(url)?.resources ?? [])].map(([name, { version }]) => [name, version])),
      );
    }
  });

  test('mesh configuration: what it is about', () => {
    const world = new World(objects);
    const before = world.see(client);
    world.edit({ mesh: meshConfig({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }) });
    expect(moved(before, world.see(client))).toEqual(['listener', 'route']);
  });
});

describe('keeping views', () => {
  const MINUTE = 60_000;
  const accepted = (set: ResourceSet | undefined) => set?.resources.get('outbound|80||x.a.svc.cluster.local');

  test('a pod that restarts finds the view of the one before; one that comes much later a new one', () => {
    const world = new World(objects);
    const old = proxy('a/c');
    const before = accepted(world.see(old).get(TypeUrls.cluster));
    world.views.retain(world.mesh, [old], 0);
    world.views.retain(world.mesh, [], 10 * MINUTE);
    expect(world.see(proxy('a/c'))).toBe(world.see(old));
    world.edit({ upserts: [pod('b/late', { ip: '10.1.0.9' })] });
    world.views.retain(world.mesh, [], 60 * MINUTE);
    const later = world.see(proxy('a/c'));
    expect(later).not.toBe(world.views.lastAnswer(old)?.snapshot);
    expect(accepted(later.get(TypeUrls.cluster))?.version).toBe(before?.version);
  });

  test('proxies that call themselves anything do not fill the memory', () => {
    const world = new World([]);
    const stays = proxy('a/c');
    const before = world.see(stays);
    const names = Array.from({ length: 1_100 }, (_, index) => proxy(`n${index}/c`));
    for (const who of names) world.see(who);
    expect(world.views.isCrowded).toBe(true);
    world.views.retain(world.mesh, [stays], 0);
    expect(world.views.isCrowded).toBe(false);
    world.edit({ upserts: [service('a/x')] });
    world.edit({ deletes: [service('a/x')] });
    world.views.retain(world.mesh, [stays], 1);
    expect(world.see(stays)).toBe(before);
  });

  test('what gRPC clients cannot do is told', () => {
    const moved = virtualService('a/x', { hosts: ['x'], http: [{ redirect: { uri: '/' } }] });
    const world = new World([...objects, moved]);
    world.see(proxy('a/c', { metadata: { GENERATOR: 'grpc' } }));
    expect(world.views.diagnostics()).toEqual([
      expect.objectContaining({ object: { kind: 'VirtualService', namespace: 'a', name: 'x' } }),
    ]);
  });

  test('diagnostics of translation are told once, however many proxies have the view', () => {
    const unknown = virtualService('a/x', { hosts: ['x'], http: [routeTo('x', { subset: 'nowhere' })] });
    const world = new World([...objects, unknown]);
    expect(world.views.diagnostics()).toEqual([]);
    for (const who of [proxy('a/c-1'), proxy('a/c-2')]) world.see(who);
    const codes = world.views.diagnostics().map(({ code, object }) => `${code} ${object?.kind} ${object?.name}`);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test('what is kept for nobody tells nothing of policies that are no more', () => {
    const ofMethods = (action: 'ALLOW' | 'DENY') =>
      object('AuthorizationPolicy', 'a/p', { action, rules: [{ to: [{ operation: { methods: ['GET'] } }] }] });
    const world = new World([
      service('a/x', { ports: [{ name: 'tcp', port: 80, targetPort: 8080 }] }),
      endpointSlice('a/x', { endpoints: ['10.1.0.1'], ports: { tcp: 8080 } }),
      pod('a/x', { ip: '10.1.0.1' }),
      ofMethods('ALLOW'),
    ]);
    const server = proxy('a/x', { ip: '10.1.0.1' });
    const told = () => world.views.diagnostics([server]).map(({ message }) => message);
    world.see(server);
    expect(told()).toEqual([expect.stringContaining('lets nobody in')]);
    world.edit({ upserts: [ofMethods('DENY')] });
    expect(told()).toEqual([expect.stringContaining('lets nobody in')]);
    world.see(server);
    expect(told()).toEqual([expect.stringContaining('refuses all connections')]);
    world.edit({ deletes: [ofMethods('DENY')] });
    world.see(server);
    expect(told()).toEqual([]);
  });

  test('what a proxy was last told of can be asked for', () => {
    const world = new World(objects);
    const who = proxy('a/c');
    expect(world.views.lastAnswer(who)?.snapshot).toBeUndefined();
    expect(world.views.lastAnswer(who)?.snapshot).toBe(undefined);
    const seen = world.see(who);
    world.edit({ deletes: objects.slice(0, 1) });
    expect(world.views.lastAnswer(who)?.snapshot).toBe(seen);
  });
});
