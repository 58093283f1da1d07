import { beforeEach, describe, expect, test } from 'vitest';
import { httpPort, type Manifest, meshConfig, sidecar, slice, virtualService, withMeta } from './support/manifests.ts';
import type { ModelEnvoy, Protocol, Received } from './support/model-envoy.ts';
import { node, TestProcess } from './support/process.ts';
import {
  bankClient,
  ingress,
  ingressPod,
  REVIEWS,
  reviewSubsets,
  reviewsPod,
  shop,
  shopClient,
  toReviews,
} from './support/shop.ts';

/** What came, without sizes. */
function taken(envoy: ModelEnvoy): readonly string[] {
  return envoy.take().flatMap(describeReceived);
}

function describeReceived({ kind, names, removed }: Received): readonly string[] {
  return [...names.map((name) => `${kind} ${name}`), ...removed.map((name) => `${kind} -${name}`)];
}

/** Seen by its own namespace alone. */
function exportedTo(manifest: Manifest, namespaces: readonly string[]): Manifest {
  return { ...manifest, spec: { ...(manifest['spec'] as Manifest), exportTo: namespaces } };
}

const front = virtualService('shop/front', {
  hosts: ['shop.example.com'],
  gateways: ['front'],
  http: [{ route: [{ destination: { host: REVIEWS } }] }],
});

const [V1, V2] = ['v1', 'v2'].map((subset) => `outbound|80|${subset}|${REVIEWS}`);
const WHOLE = `outbound|80||${REVIEWS}`;

describe.each<Protocol>(['delta', 'sotw'])('what a change sends over %s', (protocol) => {
  let mesh: TestProcess;
  let client: ModelEnvoy;
  let reviews: ModelEnvoy;
  let bank: ModelEnvoy;
  let gateway: ModelEnvoy;
  let grpc: ModelEnvoy;

  beforeEach(async () => {
    mesh = await TestProcess.start([
      ...shop,
      ...ingress,
      front,
      reviewSubsets('v1', 'v2'),
      exportedTo(toReviews({ v1: 100 }), ['.']),
    ]);
    client = await mesh.connect(shopClient, protocol);
    reviews = await mesh.connect(reviewsPod, protocol);
    bank = await mesh.connect(bankClient, protocol);
    gateway = await mesh.connect(ingressPod, protocol);
    grpc = await mesh.connect(node('bank/grpc', '10.1.1.41', { metadata: { GENERATOR: 'grpc' } }), protocol);
    for (const envoy of [client, reviews, bank, gateway, grpc]) envoy.take();
  });

  test('a VirtualService: one route to those who see it, nothing to all others', async () => {
    await mesh.apply(exportedTo(toReviews({ v1: 90, v2: 10 }), ['.']));
    const [received, ...more] = client.take();
    expect(more).toEqual([]);
    expect(received).toMatchObject({ kind: 'route', names: ['80'] });
    expect(received?.bytes).toBeLessThan((client.store.route.get('80')?.value.length ?? 0) + 250);
    expect(taken(reviews)).toEqual(['route 80']);
    expect([bank, gateway, grpc].flatMap(taken)).toEqual([]);
  });

  test('an endpoint: its assignments, and nothing else', async () => {
    const endpoints = [
      { address: '10.1.0.11', pod: 'reviews-v1' },
      { address: '10.1.0.12', pod: 'reviews-v2', ready: false },
    ];
    await mesh.apply(slice('bank/ledger', ['10.1.1.11', '10.1.1.12']));
    for (const envoy of [client, reviews, bank, gateway, grpc])
      expect(taken(envoy)).toEqual(['endpoint outbound|80||ledger.bank.svc.cluster.local']);
    await mesh.apply(slice('shop/reviews', endpoints));
    expect(taken(client)).toEqual([`endpoint ${WHOLE}`, `endpoint ${V2}`]);
  });

  test('a port of a service to those who see it, and the listener to its own workload', async () => {
    const extra = { name: 'http-admin', port: 81, targetPort: 8081 };
    const before = [...client.store.listener.keys()];
    await mesh.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'shop', name: 'reviews' },
      spec: { selector: { app: 'reviews' }, clusterIP: '10.96.0.99', ports: [httpPort, extra] },
    });
    expect([...client.store.listener.keys()].filter((name) => !before.includes(name))).toEqual(['0.0.0.0_81']);
    expect(reviews.store.cluster.has('inbound|8081||')).toBe(true);
    expect(client.store.cluster.has('inbound|8081||')).toBe(false);
  });

  test('a Sidecar: what its namespace no longer sees', async () => {
    await mesh.apply(sidecar('shop/default', { egress: [{ hosts: ['./*'] }] }));
    const ledger = 'outbound|80||ledger.bank.svc.cluster.local';
    for (const envoy of [client, reviews]) {
      expect(envoy.store.cluster.has(ledger)).toBe(false);
      expect([...new Set(envoy.take().map(({ kind }) => kind))].sort()).toEqual(
        protocol === 'delta' ? ['cluster', 'endpoint', 'route'] : ['cluster', 'route'],
      );
    }
    expect([bank, gateway, grpc].flatMap(taken)).toEqual([]);
  });

  test('the policy for unknown hosts: what catches all, in sidecars', async () => {
    await mesh.apply(meshConfig('outboundTrafficPolicy: { mode: REGISTRY_ONLY }'));
    for (const envoy of [client, reviews, bank])
      expect(new Set(envoy.take().map(({ kind }) => kind))).toEqual(new Set(['listener', 'route']));
    expect([gateway, grpc].flatMap(taken)).toEqual([]);
  });

  test('the same objects again: nothing', async () => {
    await mesh.apply(...shop, ...ingress, front);
    await mesh.apply(exportedTo(toReviews({ v1: 100 }), ['.']));
    expect([client, reviews, bank, gateway, grpc].flatMap(taken)).toEqual([]);
  });

  test('metadata that decide nothing: nothing', async () => {
    const meta = { resourceVersion: '77', generation: 3, annotations: { 'example.com/note': 'hello' } };
    await mesh.apply(...shop.map((manifest) => withMeta(manifest, { ...(manifest['metadata'] as Manifest), ...meta })));
    await mesh.apply(withMeta(front, { namespace: 'shop', name: 'front', ...meta, labels: { team: 'a' } }));
    expect([client, reviews, bank, gateway, grpc].flatMap(taken)).toEqual([]);
  });

  test('a broken object: nothing, and its owner is told', async () => {
    const broken = virtualService('shop/reviews', { hosts: ['reviews'], http: [{ route: 'v2' }] });
    await mesh.apply(broken);
    expect([client, reviews, bank, gateway, grpc].flatMap(taken)).toEqual([]);
    const object = { kind: 'VirtualService', namespace: 'shop', name: 'reviews' };
    const diagnostics = JSON.parse((await mesh.page('/debug/diagnosticsz')).text) as readonly object[];
    expect(diagnostics).toMatchObject([
      { level: 'info', object, message: 'the version from before stays in force until this one is repaired' },
      { level: 'error', object, path: ['spec', 'http', 0, 'route'] },
    ]);
    const later = await mesh.connect(node('shop/later', '10.1.0.32', { labels: { app: 'client' } }), protocol);
    expect(later.contents()).toEqual(client.contents());
    await mesh.apply(exportedTo(toReviews({ v2: 100 }), ['.']));
    expect(taken(client)).toEqual(['route 80']);
    expect((await mesh.page('/debug/diagnosticsz')).text).toBe('[]\n');
  });
});

describe('the order of a change', () => {
  test('a new subset: cluster, its endpoints, then the route that leads there', async () => {
    const mesh = await TestProcess.start([...shop, reviewSubsets('v1'), toReviews({ v1: 100 })]);
    const client = await mesh.connect(shopClient);
    client.take();
    await mesh.apply(reviewSubsets('v1', 'v2'), toReviews({ v1: 50, v2: 50 }));
    expect(taken(client)).toEqual([`cluster ${V2}`, `endpoint ${V2}`, 'route 80']);
  });

  test('a subset that goes: the route first, then its cluster', async () => {
    const mesh = await TestProcess.start([...shop, reviewSubsets('v1', 'v2'), toReviews({ v1: 50, v2: 50 })]);
    const client = await mesh.connect(shopClient);
    client.take();
    await mesh.apply(toReviews({ v2: 100 }), reviewSubsets('v2'));
    expect(taken(client)).toEqual(['route 80', `cluster -${V1}`, `endpoint -${V1}`]);
  });

  test('a service that comes and goes leaves the client as it was', async () => {
    const mesh = await TestProcess.start(shop.filter(({ metadata }) => (metadata as Manifest)['namespace'] === 'shop'));
    const client = await mesh.connect(shopClient);
    const before = client.contents();
    const bank = shop.filter(({ metadata }) => (metadata as Manifest)['namespace'] === 'bank');
    await mesh.apply(...bank);
    expect(client.contents()).not.toEqual(before);
    await mesh.delete('Service', 'bank', 'ledger');
    expect(client.contents()).toEqual(before);
  });
});

describe('a restart of the whole process', () => {
  const objects = [...shop, ...ingress, front, reviewSubsets('v1', 'v2'), toReviews({ v1: 100 })];
  const nodes = [shopClient, reviewsPod, bankClient, ingressPod];

  test('sends nothing to clients that have everything', async () => {
    const first = await TestProcess.start(objects);
    const envoys = await connectAll(first);
    await first.stop();
    const second = await TestProcess.start(objects.toReversed());
    for (const envoy of envoys) await second.connect(envoy);
    expect(envoys.flatMap(taken)).toEqual([]);
    await second.apply(toReviews({ v2: 100 }));
    expect(envoys.map(taken)).toEqual([['route 80'], ['route 80'], ['route 80'], []]);
  });

  test('sends what changed in between', async () => {
    const first = await TestProcess.start(objects);
    const envoys = await connectAll(first);
    await first.stop();
    const second = await TestProcess.start([...objects, toReviews({ v1: 1, v2: 99 }), slice('bank/ledger', [])]);
    for (const envoy of envoys) await second.connect(envoy);
    const ledger = 'endpoint outbound|80||ledger.bank.svc.cluster.local';
    for (const envoy of envoys.slice(0, 3)) expect([...taken(envoy)].sort()).toEqual([ledger, 'route 80']);
    expect(envoys.slice(3).flatMap(taken)).toEqual([ledger]);
  });

  async function connectAll(mesh: TestProcess): Promise<readonly ModelEnvoy[]> {
    const envoys: ModelEnvoy[] = [];
    for (const each of nodes) envoys.push(await mesh.connect(each));
    for (const envoy of envoys) envoy.take();
    return envoys;
  }
});
