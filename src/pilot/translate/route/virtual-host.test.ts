import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import type { ClusterName } from '../../../model/ids.ts';
import { BLACK_HOLE_CLUSTER, PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import { meshConfig } from '../../../testing/config.ts';
import { at, rule, service, virtualService } from '../policy/testing/fixtures.ts';
import { buildRouteConfiguration } from './configuration.ts';
import { routeDefaults } from './defaults.ts';
import { buildInboundRoute } from './inbound.ts';
import { noDefaults } from './testing/rule.ts';
import { buildVirtualHost, type VirtualHostInputs } from './virtual-host.ts';

const reviews = service('reviews');
const CLUSTER = 'outbound|80||reviews.default.svc.cluster.local';
const to = (host: string, match?: object) => ({
  route: [{ destination: { host } }],
  ...(match ? { match: [match] } : {}),
});

function build(options: Partial<VirtualHostInputs> = {}) {
  return buildVirtualHost({
    name: 'reviews:80',
    domains: ['reviews'],
    port: 80,
    member: at(reviews),
    virtualServices: [],
    gateways: ['mesh'],
    requireTls: false,
    destinations: [],
    kind: 'sidecar',
    tellsProtocol: false,
    namespace: 'default',
    labels: {},
    defaults: noDefaults,
    ...options,
  });
}

const targets = (options: Partial<VirtualHostInputs>) =>
  build(options).message.routes?.map(({ match, route }) => `${match?.prefix} ${route?.cluster?.split('|').at(-1)}`);

describe('a virtual host', () => {
  it('leads to its service by default', () => {
    const { message, needs, origins } = build();
    expect(message.routes).toHaveLength(1);
    expect(message.routes?.[0]).toMatchObject({
      name: 'default',
      route: { cluster: CLUSTER, timeout: { seconds: 0 } },
    });
    expect(message.routes?.[0]?.decorator).toEqual({ operation: 'reviews.default.svc.cluster.local:80/*' });
    expect(needs.map(({ name }) => name)).toEqual([CLUSTER]);
    expect(origins).toEqual([{ kind: 'Service', namespace: 'default', name: 'reviews', path: 'spec' }]);
  });

  it('tells servers of attempts and former hosts as the mesh says', () => {
    const proxyHeaders = { attemptCount: { disabled: true }, xForwardedHost: { enabled: true } };
    const defaults = routeDefaults(meshConfig({ defaultConfig: { ...meshConfig().defaultConfig, proxyHeaders } }));
    const rules = [virtualService('v', { hosts: ['x'], http: [to('a', { uri: { prefix: '/a' } })] })];
    const built = [build(), build({ defaults }), build({ defaults, virtualServices: rules })];
    expect(
      built.map(({ message }) => [
        message.includeRequestAttemptCount,
        message.routes?.[0]?.route?.appendXForwardedHost,
      ]),
    ).toEqual([
      [true, undefined],
      [false, true],
      [false, true],
    ]);
  });

  it('hashes by default as its rule says', () => {
    const hashing = rule({ trafficPolicy: { loadBalancer: { consistentHash: { useSourceIp: true } } } });
    const [first] = build({ member: at(reviews, 80, hashing) }).message.routes ?? [];
    expect(first?.route?.hashPolicy).toEqual([{ connectionProperties: { sourceIp: true } }]);
  });

  it('has the rules of its virtual service up to the one for everything', () => {
    const virtualServices = [
      virtualService('v', {
        hosts: ['x'],
        http: [to('a', { uri: { prefix: '/a' } }), to('b'), to('c', { uri: { prefix: '/c' } })],
      }),
    ];
    expect(targets({ virtualServices })).toEqual(['/a a', '/ b']);
    expect(build({ virtualServices }).origins.map(({ path }) => path)).toEqual(['spec.http[0]', 'spec.http[1]']);
  });

  it('at a gateway has the rules of several, what is for everything last, once', () => {
    const virtualServices = [
      virtualService('v', { hosts: ['x'], gateways: ['x/y'], http: [to('a'), to('never', { uri: { prefix: '/n' } })] }),
      virtualService('w', { hosts: ['x'], gateways: ['x/y'], http: [to('b', { uri: { prefix: '/b' } }), to('c')] }),
    ];
    expect(targets({ virtualServices, gateways: ['x/y'], member: undefined })).toEqual(['/b b', '/ a']);
  });

  it('may demand TLS', () => {
    expect(build({ requireTls: true, member: undefined }).message).toMatchObject({ requireTls: 2, routes: [] });
  });
});

describe('a route configuration', () => {
  const assemble = (fallThrough: ClusterName | undefined, matchPorts = false, hosts = [build()]) => {
    const built = buildRouteConfiguration({
      name: '80',
      virtualHosts: hosts,
      fallThrough,
      matchPorts,
      defaults: noDefaults,
    });
    return { ...built, message: decodeMessage(built.type, encodeMessage(built.type, built.message)) };
  };

  it('ends with what is allowed', () => {
    const { message, needs } = assemble(PASSTHROUGH_CLUSTER);
    expect(message).toMatchObject({
      name: '80',
      validateClusters: {},
      ignorePortInHostMatching: true,
      maxDirectResponseBodySizeBytes: { value: 1_048_576 },
    });
    expect(message.virtualHosts?.map(({ name }) => name)).toEqual(['reviews:80', 'allow_any']);
    expect(needs.map(({ name }) => name)).toEqual([CLUSTER, PASSTHROUGH_CLUSTER]);
  });

  it('ends with what is forbidden', () => {
    const { message, needs } = assemble(BLACK_HOLE_CLUSTER);
    expect(message.virtualHosts?.[1]).toMatchObject({
      name: 'block_all',
      routes: [{ directResponse: { status: 502 } }],
    });
    expect(needs).toHaveLength(1);
  });

  it('ends without either at gateways, and where a host takes all', () => {
    expect(assemble(undefined).message.virtualHosts).toHaveLength(1);
    expect(assemble(PASSTHROUGH_CLUSTER, false, [build({ domains: ['*'] })]).message.virtualHosts).toHaveLength(1);
  });

  it('heeds ports where it serves many', () => {
    expect(assemble(undefined, true).message).not.toHaveProperty('ignorePortInHostMatching');
  });
});

it('leads everything inbound to the workload, without timeout or retry', () => {
  const message = buildInboundRoute({ targetPort: 8080, member: at(reviews) });
  const encoded = encodeMessage('envoy.config.route.v3.RouteConfiguration', message);
  expect(decodeMessage('envoy.config.route.v3.RouteConfiguration', encoded)).toEqual({
    name: 'inbound|8080||',
    validateClusters: {},
    virtualHosts: [
      {
        name: 'inbound|http|80',
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            decorator: { operation: 'reviews.default.svc.cluster.local:80/*' },
            route: {
              cluster: 'inbound|8080||',
              timeout: {},
              maxStreamDuration: { maxStreamDuration: {}, grpcTimeoutHeaderMax: {} },
            },
          },
        ],
      },
    ],
  });
});
