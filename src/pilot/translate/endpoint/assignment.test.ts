import { describe, expect, it } from 'vitest';
import type { LocalityLbSetting, TrafficPolicy } from '../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import type { Endpoint, Locality } from '../../../model/service.ts';
import { endpoint, port, rule, service } from '../policy/testing/fixtures.ts';
import { type AssignmentInputs, buildAssignment, clientLabelsOf } from './assignment.ts';
import type { ClientPlace } from './place.ts';

function inputs(endpoints: readonly Endpoint[], options: Partial<AssignmentInputs> = {}): AssignmentInputs {
  return {
    service: service('reviews'),
    port: port(80),
    subset: '',
    rule: undefined,
    endpoints,
    meshLocalityLb: undefined,
    client: undefined,
    ...options,
  };
}

function decoded(endpoints: readonly Endpoint[], options: Partial<AssignmentInputs> = {}) {
  const built = buildAssignment(inputs(endpoints, options));
  return decodeMessage(built.type, encodeMessage(built.type, built.message)).endpoints ?? [];
}

function locality(text: string): Locality {
  const [region = '', zone = '', subzone = ''] = text.split('/');
  return { region, zone, subzone };
}

function inPlace(address: string, place: string, options: Partial<Endpoint> = {}): Endpoint {
  return endpoint(address, { locality: locality(place), ...options });
}

/** `priority weight place: addresses`, one line a group. */
function lines(groups: ReturnType<typeof decoded>): readonly string[] {
  return groups.map(({ locality: place, priority = 0, loadBalancingWeight, lbEndpoints = [] }) => {
    const parts = [place?.region, place?.zone, place?.subZone].filter((part) => part !== undefined);
    const addresses = lbEndpoints.map((lb) => lb.endpoint?.address?.socketAddress?.address);
    return `${priority} ${loadBalancingWeight?.value} ${parts.join('/')}: ${addresses.join(' ')}`;
  });
}

describe('endpoints', () => {
  it('are grouped by locality, sorted, each address once', () => {
    const endpoints = [
      inPlace('10.0.0.3', 'b/1'),
      inPlace('10.0.0.2', 'a/1', { weight: 3 }),
      inPlace('10.0.0.1', 'a/1'),
      inPlace('10.0.0.1', 'b/1'),
      endpoint('10.0.0.9'),
    ];
    expect(lines(decoded(endpoints))).toEqual(['0 1 : 10.0.0.9', '0 4 a/1: 10.0.0.1 10.0.0.2', '0 1 b/1: 10.0.0.3']);
    expect(lines(decoded(endpoints.toReversed()))[1]).toBe('0 3 a/1: 10.0.0.2');
  });

  it('of a subset carry its labels', () => {
    const applied = rule({ subsets: [{ name: 'v1', labels: { version: 'v1' } }, { name: 'all' }] });
    const endpoints = [endpoint('10.0.0.1', { labels: { version: 'v1', app: 'r' } }), endpoint('10.0.0.2')];
    expect(lines(decoded(endpoints, { rule: applied, subset: 'v1' }))).toEqual(['0 1 : 10.0.0.1']);
    expect(lines(decoded(endpoints, { rule: applied, subset: 'all' }))).toEqual(['0 2 : 10.0.0.1 10.0.0.2']);
  });

  it('that are unhealthy are left out, draining ones told', () => {
    const groups = decoded([
      endpoint('10.0.0.1', { health: 'unhealthy' }),
      endpoint('10.0.0.2', { health: 'draining' }),
    ]);
    expect(groups[0]?.lbEndpoints).toEqual([
      { endpoint: { address: { socketAddress: { address: '10.0.0.2', portValue: 8080 } } }, healthStatus: 3 },
    ]);
  });

  it('say whether they take mutual TLS, and whose they are', () => {
    const labels = { app: 'reviews', version: 'v1' };
    const [group] = decoded([endpoint('10.0.0.1', { tlsMode: 'istio', workload: 'reviews-v1', labels })]);
    expect(group?.lbEndpoints?.[0]?.metadata?.filterMetadata).toEqual({
      'envoy.transport_socket_match': { fields: { tlsMode: { stringValue: 'istio' } } },
      istio: { fields: { workload: { stringValue: 'reviews-v1;default;reviews;v1;' } } },
    });
  });

  it('may be sockets, but not names: Envoy would refuse them all', () => {
    expect(decoded([endpoint('unix:///run/a.sock', { port: 0 }), endpoint('db.example.com')])[0]?.lbEndpoints).toEqual([
      { endpoint: { address: { pipe: { path: '/run/a.sock' } } } },
    ]);
  });

  it('keep their shares when the weights do not fit into 32 bits', () => {
    const most = 4_294_967_295;
    const [group] = decoded([endpoint('10.0.0.1', { weight: most }), endpoint('10.0.0.2', { weight: most })]);
    const weights = group?.lbEndpoints?.map((lb) => lb.loadBalancingWeight?.value ?? 1) ?? [];
    expect(weights[0]).toBe(weights[1]);
    expect((weights[0] ?? 0) + (weights[1] ?? 0)).toBeLessThanOrEqual(most);
    expect(group?.loadBalancingWeight?.value).toBeLessThanOrEqual(most);
  });

  it('that do not exist are an empty assignment, which is sent', () => {
    expect(buildAssignment(inputs([])).message).toEqual({
      clusterName: 'outbound|80||reviews.default.svc.cluster.local',
      endpoints: [],
    });
  });
});

describe('places', () => {
  const client: ClientPlace = { locality: locality('a/1/x'), network: '', node: 'n1', labels: { 'my/rack': 'r1' } };
  const endpoints = [
    inPlace('10.0.0.1', 'a/1/x', { node: 'n1' }),
    inPlace('10.0.0.2', 'a/1/y', { labels: { 'my/rack': 'r1' } }),
    inPlace('10.0.0.3', 'a/2/x'),
    inPlace('10.0.0.4', 'b/1/x'),
    inPlace('10.0.0.5', 'c/1/x'),
  ];
  const detects: TrafficPolicy = { outlierDetection: {} };

  function placed(
    setting: LocalityLbSetting | undefined,
    policy: TrafficPolicy,
    options: Partial<AssignmentInputs> = {},
  ) {
    return lines(
      decoded(endpoints, { client, rule: rule({ trafficPolicy: policy }), meshLocalityLb: setting, ...options }),
    ).map((line) => line.replace(/ [abc].*: 10\.0\.0/, ''));
  }

  it.each<[string, LocalityLbSetting | undefined, TrafficPolicy, readonly string[]]>([
    ['count near endpoints first', {}, detects, ['0 1.1', '1 1.2', '2 1.3', '3 1.4', '3 1.5']],
    [
      'name the region to fail over to',
      { failover: [{ from: 'a', to: 'c' }] },
      detects,
      ['0 1.1', '1 1.2', '2 1.3', '3 1.5', '4 1.4'],
    ],
    ['do not count without outlier detection', {}, {}, ['0 1.1', '0 1.2', '0 1.3', '0 1.4', '0 1.5']],
    ['do not count where the mesh is silent', undefined, detects, ['0 1.1', '0 1.2', '0 1.3', '0 1.4', '0 1.5']],
    ['do not count when switched off', { enabled: false }, detects, ['0 1.1', '0 1.2', '0 1.3', '0 1.4', '0 1.5']],
    [
      'of the rule come before those of the mesh',
      {},
      { ...detects, loadBalancer: { localityLbSetting: { enabled: false } } },
      ['0 1.1', '0 1.2', '0 1.3', '0 1.4', '0 1.5'],
    ],
    [
      'may be labels',
      { failoverPriority: ['topology.kubernetes.io/region', 'my/rack'] },
      detects,
      ['0 1.2', '1 1.1', '1 1.3', '2 1.4', '2 1.5'],
    ],
    [
      'may be labels of a given value, then regions',
      { failoverPriority: ['my/rack=r1'], failover: [{ from: 'a', to: 'c' }] },
      detects,
      ['0 1.2', '1 1.1', '2 1.3', '3 1.5', '4 1.4'],
    ],
    [
      'get shares, split by what is there, and none for the others',
      {
        distribute: [
          { from: 'b/*', to: { '*': 100 } },
          { from: 'a/1/*', to: { 'a/1/*': 80, 'a/2/*': 15, 'b/*': 5 } },
        ],
      },
      {},
      ['0 400000.1', '0 400000.2', '0 150000.3', '0 50000.4'],
    ],
    [
      'get the share that names them most exactly',
      { distribute: [{ from: '*', to: { '*': 40, 'a/1/x': 60 } }] },
      detects,
      ['0 600000.1', '0 100000.2', '0 100000.3', '0 100000.4', '0 100000.5'],
    ],
  ])('%s', (_, setting, policy, expected) => {
    expect(placed(setting, policy)).toEqual(expected);
  });

  it.each([
    ['same-zone', ['0 1.1', '0 1.2', '1 1.3', '2 1.4', '2 1.5']],
    ['same-node', ['0 1.1', '1 1.2', '2 1.3', '3 1.4', '3 1.5']],
  ] as const)('are preferred as the Service wishes, without outlier detection: %s', (trafficDistribution, expected) => {
    expect(placed(undefined, {}, { service: service('reviews', { trafficDistribution }) })).toEqual(expected);
  });

  it('matter only where something says so', () => {
    const applied = rule({ trafficPolicy: detects });
    expect(clientLabelsOf(inputs([], { rule: applied }))).toBeUndefined();
    expect(clientLabelsOf(inputs([], { rule: applied, meshLocalityLb: {} }))).toEqual([]);
    expect(clientLabelsOf(inputs([], { meshLocalityLb: {} }))).toBeUndefined();
    const byLabels = { failoverPriority: ['topology.istio.io/network', 'tier=front'] };
    expect(clientLabelsOf(inputs([], { rule: applied, meshLocalityLb: byLabels }))).toEqual([
      'topology.istio.io/network',
    ]);
  });
});
