import { describe, expect, it } from 'vitest';
import type { TrafficPolicy } from '../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import { Cluster_DiscoveryType, Cluster_LbPolicy } from '../../../gen/types.ts';
import type { BuiltVirtualHost } from '../built.ts';
import { buildOutboundClusters } from '../cluster/outbound.ts';
import { defaults, endpoint, noPeers, port, rule, service } from '../policy/testing/fixtures.ts';
import { proxylessCluster } from './cluster.ts';
import { buildApiListener, buildProxylessRoutes, proxylessRouteName } from './listener.ts';

const reviews = service('shop/reviews', { ports: [port(9080)] });
const at = { service: reviews, port: port(9080), rule: undefined };
const NAME = 'outbound|9080||reviews.shop.svc.cluster.local';

function cluster(trafficPolicy: TrafficPolicy | undefined, of = reviews) {
  const [built] = buildOutboundClusters({
    service: of,
    port: of.ports[0] ?? port(80),
    rule: trafficPolicy === undefined ? undefined : rule({ trafficPolicy }),
    dnsEndpoints: of.resolution.kind === 'dns' ? [endpoint('example.org')] : undefined,
    client: undefined,
    defaults,
    kind: 'proxyless',
    ...noPeers,
  }).resources;
  if (built === undefined) throw new Error('no cluster');
  const shown = proxylessCluster(built);
  expect({ ...shown, message: built.message }).toEqual(built);
  return decodeMessage(shown.type, encodeMessage(shown.type, shown.message));
}

/** The first of the enum is what a message says by saying nothing. */
function lbPolicyOf(trafficPolicy: TrafficPolicy): Cluster_LbPolicy {
  return cluster(trafficPolicy).lbPolicy ?? Cluster_LbPolicy.ROUND_ROBIN;
}

describe('a cluster for gRPC libraries', () => {
  it('is fetched by EDS, and says only what they read', () => {
    expect(cluster(undefined)).toMatchObject({
      name: NAME,
      type: Cluster_DiscoveryType.EDS,
      edsClusterConfig: { edsConfig: { ads: {} }, serviceName: NAME },
    });
    const policy: TrafficPolicy = { tls: { mode: 'SIMPLE' }, connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } };
    expect(Object.keys(cluster(policy)).sort()).toEqual(['circuitBreakers', 'edsClusterConfig', 'name', 'type']);
  });

  it.each(['RANDOM', 'LEAST_REQUEST', 'ROUND_ROBIN'] as const)('balances in turn where a rule says %s', (simple) => {
    expect(lbPolicyOf({ loadBalancer: { simple } })).toBe(Cluster_LbPolicy.ROUND_ROBIN);
  });

  it('hashes over a ring, also where a rule says Maglev, which they lack', () => {
    const ring = { consistentHash: { httpHeaderName: 'user', ringHash: { minimumRingSize: 64 } } };
    expect(lbPolicyOf({ loadBalancer: ring })).toBe(Cluster_LbPolicy.RING_HASH);
    expect(cluster({ loadBalancer: ring }).ringHashLbConfig?.minimumRingSize).toEqual({ value: 64 });
    const maglev = { consistentHash: { httpHeaderName: 'user', maglev: {} } };
    expect(lbPolicyOf({ loadBalancer: maglev })).toBe(Cluster_LbPolicy.RING_HASH);
  });

  it('keeps outlier detection and limits', () => {
    const kept = cluster({
      outlierDetection: { consecutive5xxErrors: 3 },
      connectionPool: { http: { http2MaxRequests: 7 } },
    });
    expect(kept.outlierDetection?.consecutive_5xx).toEqual({ value: 3 });
    expect(kept.circuitBreakers?.thresholds?.[0]?.maxRequests).toEqual({ value: 7 });
  });

  it('brings the endpoints of a service that DNS knows', () => {
    const external = service('example.org', { resolution: { kind: 'dns', logical: true } });
    const { type, loadAssignment, edsClusterConfig } = cluster(undefined, external);
    expect(type).toBe(Cluster_DiscoveryType.LOGICAL_DNS);
    expect(loadAssignment?.endpoints).toHaveLength(1);
    expect(edsClusterConfig).toBeUndefined();
  });
});

describe('a listener that gRPC clients dial', () => {
  it('has the name they dial, and leads to the routes of its service', () => {
    const built = buildApiListener(at, 'reviews.shop:9080');
    expect(built).toMatchObject({
      name: 'reviews.shop:9080',
      needs: [{ typeUrl: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration', name: NAME }],
      origins: [{ kind: 'Service', namespace: 'shop', name: 'reviews', path: 'spec' }],
    });
    const manager = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
    const { apiListener } = decodeMessage(built.type, encodeMessage(built.type, built.message));
    const { rds, httpFilters } = decodeMessage(manager, apiListener?.apiListener?.value ?? new Uint8Array());
    expect(rds).toMatchObject({ configSource: { ads: {} }, routeConfigName: NAME });
    expect(httpFilters?.map(({ name }) => name)).toEqual(['envoy.filters.http.fault', 'envoy.filters.http.router']);
  });
});

describe('routes of a gRPC client', () => {
  it('are one virtual host that takes every authority', () => {
    const host: BuiltVirtualHost = {
      name: 'reviews.shop.svc.cluster.local:9080',
      message: { name: 'reviews.shop.svc.cluster.local:9080', domains: ['reviews', 'reviews:9080'], routes: [] },
      needs: [{ typeUrl: 'clusters', name: NAME }],
      origins: [{ kind: 'VirtualService', namespace: 'shop', name: 'reviews', path: 'spec.http[0]' }],
      diagnostics: [],
    };
    expect(buildProxylessRoutes(at, host)).toEqual({
      type: 'envoy.config.route.v3.RouteConfiguration',
      name: NAME,
      message: { name: NAME, virtualHosts: [{ ...host.message, domains: ['*'] }] },
      needs: host.needs,
      origins: host.origins,
    });
    expect(proxylessRouteName(at)).toBe(NAME);
  });
});
