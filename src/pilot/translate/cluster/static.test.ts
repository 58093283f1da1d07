import { describe, expect, it } from 'vitest';
import type { ConnectionPool, IngressListener } from '../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import { Cluster_DiscoveryType } from '../../../gen/types.ts';
import type { Built, ClusterType } from '../built.ts';
import { at, defaults, rule, service } from '../policy/testing/fixtures.ts';
import { buildInboundCluster, type InboundClusterInputs } from './inbound.ts';
import { buildBlackHoleCluster, buildInboundPassthroughCluster, buildPassthroughCluster } from './static.ts';

function decoded(built: Built<ClusterType>) {
  return decodeMessage(built.type, encodeMessage(built.type, built.message));
}

const bind = {
  sourceAddress: { address: '127.0.0.6', portValue: 0 },
  extraSourceAddresses: [{ address: { address: '::6', portValue: 0 } }],
};

it('passes through to where the client dialled, as the client speaks', () => {
  expect(decoded(buildPassthroughCluster(defaults))).toMatchObject({
    name: 'PassthroughCluster',
    type: Cluster_DiscoveryType.ORIGINAL_DST,
    typedExtensionProtocolOptions: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': expect.anything() },
  });
  expect(decoded(buildInboundPassthroughCluster(defaults))).toMatchObject({
    name: 'InboundPassthroughCluster',
    upstreamBindConfig: bind,
  });
});

it('has a place that leads nowhere', () => {
  expect(decoded(buildBlackHoleCluster(defaults))).toEqual({
    name: 'BlackHoleCluster',
    type: Cluster_DiscoveryType.STATIC,
    connectTimeout: { seconds: 10 },
  });
});

describe('inbound', () => {
  const pooled = (maxConnections: number): ConnectionPool => ({ tcp: { maxConnections } });
  const policy = rule({
    trafficPolicy: { connectionPool: pooled(1), outlierDetection: {}, loadBalancer: { simple: 'RANDOM' } },
  });
  const sidecar = { kind: 'Sidecar', namespace: 'default', name: 's' };
  const listener = (spec: Partial<IngressListener>) => ({
    spec: { port: { number: 8080, protocol: 'HTTP' }, ...spec },
    object: sidecar,
    path: 'spec.ingress[0]',
  });

  function build(options: Partial<InboundClusterInputs> = {}) {
    return buildInboundCluster({
      targetPort: 8080,
      protocol: 'HTTP',
      member: at(service('reviews')),
      ingress: undefined,
      connectionPool: undefined,
      defaults,
      ...options,
    });
  }

  it('goes to the address that the client dialled, from 127.0.0.6', () => {
    expect(decoded(build())).toMatchObject({
      name: 'inbound|8080||',
      type: Cluster_DiscoveryType.ORIGINAL_DST,
      upstreamBindConfig: bind,
    });
  });

  it('goes to loopback where the mesh says so, but for what a Sidecar says', () => {
    const loopback = { ...defaults, inboundToLoopback: true };
    expect(decoded(build({ defaults: loopback }))).toMatchObject({
      type: Cluster_DiscoveryType.STATIC,
      loadAssignment: placeOf({ socketAddress: { address: '127.0.0.1', portValue: 8080 } }),
    });
    const ingress = listener({ defaultEndpoint: '0.0.0.0:9090' });
    expect(decoded(build({ defaults: loopback, ingress }))).toMatchObject({ type: Cluster_DiscoveryType.ORIGINAL_DST });
  });

  it('takes only the connection pool of a rule', () => {
    const cluster = decoded(build({ member: at(service('reviews'), 80, policy) }));
    expect(cluster.circuitBreakers?.thresholds?.[0]?.maxConnections).toEqual({ value: 1 });
    expect(cluster).not.toHaveProperty('outlierDetection');
  });

  it.each<[string, Partial<InboundClusterInputs>, number]>([
    ['the rule', {}, 1],
    ['the Sidecar', { connectionPool: { spec: pooled(2), object: sidecar, path: 'spec.inboundConnectionPool' } }, 2],
    [
      'its listener',
      {
        connectionPool: { spec: pooled(2), object: sidecar, path: '' },
        ingress: listener({ connectionPool: pooled(3) }),
      },
      3,
    ],
  ])('has the pool of %s', (_, options, expected) => {
    const cluster = build({ member: at(service('reviews'), 80, policy), ...options });
    expect(cluster.message.circuitBreakers?.thresholds?.[0]?.maxConnections).toEqual({ value: expected });
  });

  it.each<[string, object]>([
    ['127.0.0.1:9090', { loadAssignment: placeOf({ socketAddress: { address: '127.0.0.1', portValue: 9090 } }) }],
    [':9090', { loadAssignment: placeOf({ socketAddress: { address: '127.0.0.1', portValue: 9090 } }) }],
    ['[::1]:9090', { loadAssignment: placeOf({ socketAddress: { address: '::1', portValue: 9090 } }) }],
    ['unix:///run/app.sock', { loadAssignment: placeOf({ pipe: { path: '/run/app.sock' } }) }],
    [
      '0.0.0.0:9090',
      { type: Cluster_DiscoveryType.ORIGINAL_DST, originalDstLbConfig: { upstreamPortOverride: { value: 9090 } } },
    ],
  ])('goes to a default endpoint: %s', (defaultEndpoint, expected) => {
    expect(decoded(build({ ingress: listener({ defaultEndpoint }) }))).toMatchObject(expected);
  });

  it('speaks HTTP/2 to applications whose port says so', () => {
    const options = build({ protocol: 'GRPC' }).message.typedExtensionProtocolOptions;
    const any = options?.['envoy.extensions.upstreams.http.v3.HttpProtocolOptions'];
    expect(
      decodeMessage('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', any?.value ?? new Uint8Array()),
    ).toEqual({
      explicitHttpConfig: { http2ProtocolOptions: {} },
    });
  });

  it('is not upgraded by a rule that is about the way between proxies', () => {
    const upgrade = rule({ trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } } });
    expect(build({ member: at(service('reviews'), 80, upgrade) }).message).toMatchObject({
      typedExtensionProtocolOptions: undefined,
    });
  });
});

function placeOf(address: object): object {
  return { clusterName: 'inbound|8080||', endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] };
}
