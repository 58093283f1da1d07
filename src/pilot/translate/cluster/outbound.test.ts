import { describe, expect, it } from 'vitest';
import type { TrafficPolicy } from '../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import { Cluster_DiscoveryType, Cluster_LbPolicy } from '../../../gen/types.ts';
import { defaults, endpoint, noPeers, port, rule, service } from '../policy/testing/fixtures.ts';
import { buildOutboundClusters, type OutboundClusterInputs } from './outbound.ts';

function build(options: Partial<OutboundClusterInputs> = {}) {
  const of = options.service ?? service('reviews');
  return buildOutboundClusters({
    service: of,
    port: of.ports[0] ?? port(80),
    rule: undefined,
    dnsEndpoints: undefined,
    client: undefined,
    defaults,
    kind: 'sidecar',
    ...noPeers,
    ...options,
  });
}

/** As the proxy reads it. */
function decoded(options: Partial<OutboundClusterInputs> = {}, index = 0) {
  const built = build(options).resources[index];
  if (built === undefined) throw new Error('no such cluster');
  return decodeMessage(built.type, encodeMessage(built.type, built.message));
}

const withPolicy = (trafficPolicy: TrafficPolicy, options: Partial<OutboundClusterInputs> = {}) =>
  decoded({ ...options, rule: rule({ trafficPolicy }) });

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function httpOptions(options: Partial<OutboundClusterInputs>) {
  const any = decoded(options).typedExtensionProtocolOptions?.[HTTP_OPTIONS];
  return any && decodeMessage(HTTP_OPTIONS, any.value);
}

describe('without a rule', () => {
  it('is fetched by EDS, has no limits, and panics never', () => {
    expect(decoded()).toEqual({
      name: 'outbound|80||reviews.default.svc.cluster.local',
      type: Cluster_DiscoveryType.EDS,
      edsClusterConfig: {
        edsConfig: { ads: {}, initialFetchTimeout: {}, resourceApiVersion: 2 },
        serviceName: 'outbound|80||reviews.default.svc.cluster.local',
      },
      connectTimeout: { seconds: 10 },
      lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
      commonLbConfig: { healthyPanicThreshold: {} },
      circuitBreakers: {
        thresholds: [
          {
            maxConnections: { value: 4_294_967_295 },
            maxPendingRequests: { value: 4_294_967_295 },
            maxRequests: { value: 4_294_967_295 },
            maxRetries: { value: 4_294_967_295 },
          },
        ],
      },
      metadata: expect.anything(),
    });
  });

  it('has no cluster for UDP', () => {
    expect(build({ port: port(53, 'UDP') }).resources).toEqual([]);
  });

  it('needs its assignment', () => {
    expect(build().resources[0]?.needs).toEqual([
      {
        typeUrl: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
        name: 'outbound|80||reviews.default.svc.cluster.local',
      },
    ]);
  });
});

describe('discovery', () => {
  const dns = (logical: boolean) => service('db.example.com', { resolution: { kind: 'dns', logical } });
  const one = [endpoint('a.example.com')];

  it.each([
    ['headless on a sidecar', service('db', { resolution: { kind: 'passthrough' } }), 'sidecar', 'ORIGINAL_DST'],
    ['headless on a gateway', service('db', { resolution: { kind: 'passthrough' } }), 'router', 'EDS'],
    ['one DNS name of a gRPC client', dns(false), 'proxyless', 'LOGICAL_DNS'],
  ] as const)('%s', (_, of, kind, type) => {
    expect(decoded({ service: of, kind, dnsEndpoints: one }).type).toBe(Cluster_DiscoveryType[type] || undefined);
  });

  it.each([
    ['DNS', dns(false), [endpoint('a.example.com')], 'envoy.clusters.dns', undefined],
    ['DNS_ROUND_ROBIN', dns(true), one, 'envoy.clusters.dns', true],
    ['DNS_ROUND_ROBIN of two names', dns(true), [...one, endpoint('b.example.com')], 'envoy.clusters.dns', undefined],
  ])('%s is resolved by Envoy', (...[, of, dnsEndpoints, name, single]) => {
    const { clusterType, loadAssignment } = decoded({ service: of, dnsEndpoints });
    expect(clusterType?.name).toBe(name);
    expect(loadAssignment?.endpoints?.[0]?.lbEndpoints).toHaveLength(dnsEndpoints.length);
    const config = decodeMessage(
      'envoy.extensions.clusters.dns.v3.DnsCluster',
      clusterType?.typedConfig?.value ?? new Uint8Array(),
    );
    expect(config).toEqual({
      dnsRefreshRate: { seconds: 60 },
      respectDnsTtl: true,
      dnsLookupFamily: 4,
      ...(single ? { allAddressesInSingleEndpoint: true } : {}),
    });
  });

  it('of requests that bring their own name', () => {
    const of = service('*.example.com', { resolution: { kind: 'dynamic-dns' } });
    expect(decoded({ service: of })).toMatchObject({
      clusterType: { name: 'envoy.clusters.dynamic_forward_proxy' },
      lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    });
  });

  it('passes through where the rule says so, but not at a gateway', () => {
    const passthrough = rule({ trafficPolicy: { loadBalancer: { simple: 'PASSTHROUGH' } } });
    expect(decoded({ rule: passthrough }).type).toBe(Cluster_DiscoveryType.ORIGINAL_DST);
    const gateway = build({ rule: passthrough, kind: 'router' });
    expect(gateway.resources[0]?.message.type).toBe(Cluster_DiscoveryType.EDS);
    expect(gateway.diagnostics).toMatchObject([{ code: 'XEB2103', path: ['spec', 'trafficPolicy', 'loadBalancer'] }]);
  });
});

describe('subsets', () => {
  it('have clusters of their own, once each', () => {
    const applied = rule({
      trafficPolicy: { connectionPool: { tcp: { connectTimeout: '1s' } } },
      subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }, { name: 'v2' }, { name: 'v1' }],
    });
    const { resources } = build({ rule: applied });
    expect(resources.map(({ name }) => name)).toEqual([
      'outbound|80||reviews.default.svc.cluster.local',
      'outbound|80|v1|reviews.default.svc.cluster.local',
      'outbound|80|v2|reviews.default.svc.cluster.local',
    ]);
    expect(decoded({ rule: applied }, 1)).toMatchObject({
      lbPolicy: Cluster_LbPolicy.RANDOM,
      connectTimeout: { seconds: 1 },
    });
    expect(resources[1]?.origins.map(({ path }) => path)).toEqual(['spec', 'spec.trafficPolicy', 'spec.subsets[0]']);
  });

  it('are named in the metadata beside rule and service', () => {
    const { metadata } = decoded({ rule: rule({ subsets: [{ name: 'v1' }] }) }, 1);
    expect(metadata?.filterMetadata?.['istio']?.fields).toMatchObject({
      config: { stringValue: '/apis/networking.istio.io/v1alpha3/namespaces/default/destination-rule/rule' },
      subset: { stringValue: 'v1' },
      services: { listValue: { values: [{ structValue: { fields: { name: { stringValue: 'reviews' } } } }] } },
    });
  });
});

describe('load balancer', () => {
  it.each<[string, NonNullable<TrafficPolicy['loadBalancer']>, object]>([
    ['least connections, as 1.4 says it', { simple: 'LEAST_CONN' }, { lbPolicy: Cluster_LbPolicy.LEAST_REQUEST }],
    [
      'ring of 1024 by default',
      { consistentHash: { useSourceIp: true } },
      { ringHashLbConfig: { minimumRingSize: { value: 1024 } } },
    ],
    [
      'ring of 1.4',
      { consistentHash: { minimumRingSize: 7 } },
      { ringHashLbConfig: { minimumRingSize: { value: 7 } } },
    ],
    [
      'ring',
      { consistentHash: { ringHash: { minimumRingSize: 1e9 } } },
      { ringHashLbConfig: { minimumRingSize: { value: 8_388_608 } } },
    ],
    [
      'Maglev',
      { consistentHash: { maglev: { tableSize: 65_537 } } },
      { lbPolicy: Cluster_LbPolicy.MAGLEV, maglevLbConfig: { tableSize: { value: 65_537 } } },
    ],
    ['Maglev of no prime size', { consistentHash: { maglev: { tableSize: 65_536 } } }, { maglevLbConfig: {} }],
    [
      'warm-up',
      { warmup: { duration: '30s', minimumPercent: 5, aggression: 2 } },
      {
        leastRequestLbConfig: {
          slowStartConfig: {
            slowStartWindow: { seconds: 30 },
            aggression: { defaultValue: 2 },
            minWeightPercent: { value: 5 },
          },
        },
      },
    ],
    [
      'warm-up as it was before',
      { simple: 'ROUND_ROBIN', warmupDurationSecs: '10s' },
      { roundRobinLbConfig: { slowStartConfig: { slowStartWindow: { seconds: 10 } } } },
    ],
    [
      'shares by place',
      { localityLbSetting: { distribute: [{ from: 'a', to: { a: 100 } }] } },
      { commonLbConfig: { healthyPanicThreshold: {}, localityWeightedLbConfig: {} } },
    ],
  ])('%s', (_, loadBalancer, expected) => {
    expect(withPolicy({ loadBalancer })).toMatchObject(expected);
  });

  it("is in turns with round robin, Envoy's number 0", () => {
    expect(withPolicy({ loadBalancer: { simple: 'ROUND_ROBIN' } })).not.toHaveProperty('lbPolicy');
  });

  it('of a gRPC client is one it knows', () => {
    expect(withPolicy({ loadBalancer: { simple: 'RANDOM' } }, { kind: 'proxyless' }).lbPolicy).toBeUndefined();
  });
});

describe('connection pool', () => {
  it('limits what it names', () => {
    const pool = {
      tcp: { maxConnections: 10, connectTimeout: '30ms', tcpKeepalive: { probes: 3, time: '7200s', interval: '75s' } },
      http: { http1MaxPendingRequests: 1, http2MaxRequests: 2, maxRetries: 3 },
    };
    expect(withPolicy({ connectionPool: pool })).toMatchObject({
      connectTimeout: { nanos: 30_000_000 },
      circuitBreakers: {
        thresholds: [
          {
            maxConnections: { value: 10 },
            maxPendingRequests: { value: 1 },
            maxRequests: { value: 2 },
            maxRetries: { value: 3 },
          },
        ],
      },
      upstreamConnectionOptions: {
        tcpKeepalive: {
          keepaliveProbes: { value: 3 },
          keepaliveTime: { value: 7200 },
          keepaliveInterval: { value: 75 },
        },
      },
    });
  });

  it('has a budget of retries instead of a number', () => {
    const { circuitBreakers } = withPolicy({
      retryBudget: { percent: 25 },
      connectionPool: { http: { maxRetries: 3 } },
    });
    expect(circuitBreakers?.thresholds?.[0]).toMatchObject({
      retryBudget: { budgetPercent: { value: 25 }, minRetryConcurrency: { value: 3 } },
    });
    expect(circuitBreakers?.thresholds?.[0]?.maxRetries).toBeUndefined();
  });

  it('keeps connections as the mesh says where the rule does not', () => {
    const mesh = { ...defaults, tcpKeepalive: { time: '10s' } };
    expect(decoded({ defaults: mesh }).upstreamConnectionOptions).toEqual({
      tcpKeepalive: { keepaliveTime: { value: 10 } },
    });
  });
});

describe('HTTP version', () => {
  const http1 = { explicitHttpConfig: { httpProtocolOptions: {} } };
  const http2 = { explicitHttpConfig: { http2ProtocolOptions: {} } };
  const asClient = { useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} } };
  const upgrade = rule({ trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } } });
  const stay = rule({ trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'DO_NOT_UPGRADE' } } } });
  const mesh = { ...defaults, upgradeHttp: true };

  it.each<[string, Partial<OutboundClusterInputs>, object | undefined]>([
    ['HTTP', {}, undefined],
    ['TCP', { port: port(80, 'TCP') }, undefined],
    ['gRPC', { port: port(80, 'GRPC') }, http2],
    ['sniffed', { port: port(80, 'auto') }, asClient],
    ['unknown at a gateway', { port: port(80, 'auto'), kind: 'router' }, undefined],
    ['HTTP upgraded by the rule', { rule: upgrade }, http2],
    ['HTTP upgraded by the mesh', { defaults: mesh }, http2],
    ['HTTP upgraded by the mesh, not by the rule', { defaults: mesh, rule: stay }, undefined],
    ['TCP in a mesh that upgrades', { defaults: mesh, port: port(80, 'TCP') }, undefined],
    [
      'as the client',
      { rule: rule({ trafficPolicy: { connectionPool: { http: { useClientProtocol: true } } } }) },
      asClient,
    ],
    [
      'HTTP with limits of connections',
      {
        rule: rule({
          trafficPolicy: {
            connectionPool: {
              tcp: { idleTimeout: '1s', maxConnectionDuration: '1h' },
              http: { maxRequestsPerConnection: 1, idleTimeout: '2s' },
            },
          },
        }),
      },
      {
        ...http1,
        commonHttpProtocolOptions: {
          idleTimeout: { seconds: 2 },
          maxConnectionDuration: { seconds: 3600 },
          maxRequestsPerConnection: { value: 1 },
        },
      },
    ],
    [
      'gRPC with limited streams',
      {
        port: port(80, 'GRPC'),
        rule: rule({ trafficPolicy: { connectionPool: { http: { maxConcurrentStreams: 9 } } } }),
      },
      { explicitHttpConfig: { http2ProtocolOptions: { maxConcurrentStreams: { value: 9 } } } },
    ],
  ])('%s', (_, options, expected) => {
    expect(httpOptions(options)).toEqual(expected);
  });
});

describe('outlier detection', () => {
  it.each<[string, NonNullable<TrafficPolicy['outlierDetection']>, object]>([
    [
      'as 1.4 says it',
      { consecutiveErrors: 3 },
      {
        consecutiveGatewayFailure: { value: 3 },
        enforcingConsecutiveGatewayFailure: { value: 100 },
        enforcingConsecutive_5xx: {},
      },
    ],
    [
      'as today',
      { consecutive5xxErrors: 1 },
      { consecutive_5xx: { value: 1 }, enforcingConsecutive_5xx: { value: 100 } },
    ],
    ['switched off', { consecutive5xxErrors: 0 }, { enforcingConsecutive_5xx: {} }],
    [
      'in time',
      { interval: '1s', baseEjectionTime: '3m', maxEjectionPercent: 100 },
      { interval: { seconds: 1 }, baseEjectionTime: { seconds: 180 }, maxEjectionPercent: { value: 100 } },
    ],
    [
      'of errors on the way',
      { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2 },
      {
        splitExternalLocalOriginErrors: true,
        consecutiveLocalOriginFailure: { value: 2 },
        enforcingConsecutiveLocalOriginFailure: { value: 100 },
        enforcingLocalOriginSuccessRate: {},
      },
    ],
  ])('%s', (_, outlierDetection, expected) => {
    expect(withPolicy({ outlierDetection }).outlierDetection).toEqual({ enforcingSuccessRate: {}, ...expected });
  });

  it('panics below the share of healthy endpoints that the rule names', () => {
    expect(withPolicy({ outlierDetection: { minHealthPercent: 30 } }).commonLbConfig).toEqual({
      healthyPanicThreshold: { value: 30 },
    });
  });
});

it('says which parts a port-level entry unset', () => {
  const trafficPolicy: TrafficPolicy = {
    tls: { mode: 'SIMPLE' },
    portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: 'RANDOM' } }],
  };
  expect(build({ rule: rule({ trafficPolicy }) }).diagnostics).toMatchObject([
    { code: 'XEB2101', level: 'info', path: ['spec', 'trafficPolicy', 'portLevelSettings', 0] },
  ]);
});

it('is named in statistics as the mesh asks', () => {
  const mesh = { ...defaults, outboundStatName: '%SERVICE%_%SERVICE_PORT_NAME%_%SERVICE_PORT%_%SUBSET_NAME%' };
  expect(decoded({ defaults: mesh }).altStatName).toBe('reviews.default_http_80_');
  expect(decoded({ defaults: mesh, service: service('db.example.com') }).altStatName).toBe('db.example.com_http_80_');
});
