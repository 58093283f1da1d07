import { describe, expect, test } from 'vitest';
import { isRecord } from './support/contents.ts';
import { virtualService } from './support/manifests.ts';
import type { ModelEnvoy, Protocol } from './support/model-envoy.ts';
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

function names(envoy: ModelEnvoy, kind: 'cluster' | 'endpoint' | 'listener' | 'route'): readonly string[] {
  return [...envoy.store[kind].keys()].sort();
}

/** The domains of the virtual host of a service in a route. */
function domainsOf(envoy: ModelEnvoy, route: string, host: string): readonly string[] {
  const hosts = envoy.store.route.get(route)?.content.message['virtualHosts'];
  const found = Array.isArray(hosts) ? hosts.filter(isRecord).find((each) => each['name'] === host) : undefined;
  return (found?.['domains'] ?? []) as readonly string[];
}

describe.each<Protocol>(['delta', 'sotw'])('over %s', (protocol) => {
  test('a sidecar gets the services it sees, and itself', async () => {
    const mesh = await TestProcess.start(shop);
    const envoy = await mesh.connect(reviewsPod, protocol);
    expect(names(envoy, 'cluster')).toEqual([
      'BlackHoleCluster',
      'InboundPassthroughCluster',
      'PassthroughCluster',
      'inbound|8080||',
      'outbound|80||ledger.bank.svc.cluster.local',
      `outbound|80||${REVIEWS}`,
      'outbound|9000||db.shop.svc.cluster.local',
    ]);
    expect(names(envoy, 'endpoint')).toEqual(names(envoy, 'cluster').filter((name) => name.startsWith('outbound')));
    expect(names(envoy, 'listener')).toEqual(
      expect.arrayContaining(['virtualOutbound', 'virtualInbound', '0.0.0.0_80']),
    );
    expect(names(envoy, 'route')).toEqual(['80']);
    expect(envoy.warming).toEqual(new Set());
    expect(envoy.brokenReferences(() => true)).toEqual([]);
  });

  test('a gateway gets what its Gateways and their routes lead to', async () => {
    const route = [{ destination: { host: REVIEWS, port: { number: 80 } } }];
    const mesh = await TestProcess.start([
      ...shop,
      ...ingress,
      virtualService('shop/front', { hosts: ['shop.example.com'], gateways: ['front'], http: [{ route }] }),
    ]);
    const envoy = await mesh.connect(ingressPod, protocol);
    expect(names(envoy, 'listener')).toEqual(['0.0.0.0_8080']);
    expect(names(envoy, 'route')).toEqual(['http.8080']);
    expect(domainsOf(envoy, 'http.8080', 'shop.example.com:80')).toContain('shop.example.com');
    expect(names(envoy, 'cluster')).toEqual(expect.arrayContaining(['BlackHoleCluster', `outbound|80||${REVIEWS}`]));
    expect(envoy.brokenReferences(() => true)).toEqual([]);
  });

  test('a gRPC client without a proxy gets a listener for each name it may dial', async () => {
    const mesh = await TestProcess.start(shop);
    const metadata = { GENERATOR: 'grpc' };
    const envoy = await mesh.connect(node('shop/client', '10.1.0.31', { metadata }), protocol);
    expect(names(envoy, 'listener')).toEqual([
      'ledger.bank.svc.cluster.local:80',
      'ledger.bank.svc:80',
      'ledger.bank:80',
      'reviews.shop.svc.cluster.local:80',
      'reviews.shop.svc:80',
      'reviews.shop:80',
      'reviews:80',
    ]);
    expect(names(envoy, 'route')).toEqual(['outbound|80||ledger.bank.svc.cluster.local', `outbound|80||${REVIEWS}`]);
    expect(names(envoy, 'cluster')).not.toContain('BlackHoleCluster');
    expect(envoy.brokenReferences(() => true)).toEqual([]);
  });
});

describe('proxies of two namespaces', () => {
  test('call a service by the short names of their own', async () => {
    const mesh = await TestProcess.start(shop);
    const [inside, outside] = [await mesh.connect(shopClient), await mesh.connect(bankClient)];
    const host = `${REVIEWS}:80`;
    expect(domainsOf(inside, '80', host)).toEqual(expect.arrayContaining(['reviews', 'reviews.shop', REVIEWS]));
    expect(domainsOf(outside, '80', host)).toEqual(expect.arrayContaining(['reviews.shop', REVIEWS]));
    expect(domainsOf(outside, '80', host)).not.toContain('reviews');
  });
});

describe('equal proxies', () => {
  test('a thousand sidecars do not make a thousand views', async () => {
    const mesh = await TestProcess.start([...shop, toReviews({ v1: 50, v2: 50 }), reviewSubsets('v1', 'v2')]);
    const { pilot } = mesh.xebec;
    const credentials = { transport: 'plaintext', certificate: undefined, authorization: [] };
    const stream = { peer: 'test', credentials, protocol: 'delta', changed: () => undefined } as const;
    const opening = Array.from({ length: 1000 }, (_, index) => {
      const ip = `10.2.${index >> 8}.${index & 255}`;
      const { id, metadata } = node(`shop/client-${index}`, ip, {
        labels: { app: 'client', 'pod-name': `client-${index}` },
      });
      const rest = { cluster: '', userAgentName: 'envoy', userAgentVersion: '1.40.0', clientFeatures: [] };
      return pilot.open({ id, metadata, locality: { region: '', zone: '', subZone: '' }, ...rest }, stream);
    });
    const opened = await Promise.all(opening);
    const snapshots = opened.map((each) => (each.kind === 'handle' ? each.handle.current() : undefined));
    const [first] = snapshots;
    expect(first?.size).toBeGreaterThan(0);
    expect(new Set(snapshots).size).toBe(1);
    await mesh.apply(toReviews({ v1: 100 }));
    const after = opened.map((each) => (each.kind === 'handle' ? each.handle.current() : undefined));
    expect(new Set(after).size).toBe(1);
    expect(after[0]).not.toBe(first);
  });

  test('workloads that serve other ports share everything but their own listeners and clusters', async () => {
    const mesh = await TestProcess.start(shop);
    const [client, reviews] = [await mesh.connect(shopClient), await mesh.connect(reviewsPod)];
    const [one, other] = [client, reviews].map(({ id }) => {
      const proxy = mesh.xebec.pilot.proxies().find((each) => each.id === id);
      return proxy === undefined ? undefined : mesh.xebec.pilot.snapshotFor(proxy);
    });
    const shared = [...(one ?? [])]
      .filter(([url, set]) => other?.get(url) === set)
      .map(([url]) => url.split('.').at(-1));
    expect(shared).toEqual(['ClusterLoadAssignment', 'RouteConfiguration']);
    const clusters = [one, other].map((each) => each?.get('type.googleapis.com/envoy.config.cluster.v3.Cluster'));
    const outbound = `outbound|80||${REVIEWS}`;
    expect(clusters[0]?.resources.get(outbound)).toBe(clusters[1]?.resources.get(outbound));
  });
});
