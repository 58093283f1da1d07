import { describe, expect, it } from 'vitest';
import type { IngressListener } from '../../../apis/networking/networking.ts';
import { BLACK_HOLE_CLUSTER, outboundClusterName, PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import type { Protocol, ServiceTarget } from '../../../model/service.ts';
import type { ProxyTraits } from '../plan.ts';
import { at, port, service } from '../policy/testing/fixtures.ts';
import { fallThroughCluster } from './fall-through.ts';
import { type InboundMatchInputs, inboundRows } from './inbound-match.ts';
import { type InboundSocket, planInbound } from './inbound-plan.ts';
import { settings, traits, unprotected } from './testing/sidecar.ts';
import { filterConfig, inspectors, summarize } from './testing/summary.ts';
import { buildInboundSocket, buildVirtualInbound } from './virtual-inbound.ts';
import { buildVirtualOutbound } from './virtual-outbound.ts';

function target(name: string, number: number, protocol: Protocol, targetPort = number): ServiceTarget {
  const of = service(name, { ports: [port(number, protocol)] });
  const { port: first } = at(of);
  return { service: of, port: first, targetPort };
}

function inboundOf(targets: readonly ServiceTarget[], options: Partial<ProxyTraits> = {}) {
  const { captured } = planInbound({ targets, ingress: [], interception: 'REDIRECT' });
  return buildVirtualInbound({ captured, settings, traits: { ...traits, ...options }, security: unprotected }).listener;
}

function socketOf(socket: InboundSocket) {
  return buildInboundSocket({ socket, settings, traits, security: unprotected }).listener;
}

const unclaimed = [
  ':15006 → tcp BlackHoleCluster',
  'raw → tcp InboundPassthroughCluster',
  'raw http/1.1,h2c → http inline InboundPassthroughCluster',
];

describe('virtualOutbound', () => {
  it('keeps what no listener has, and never comes back to itself', () => {
    const built = buildVirtualOutbound({ settings, traits, fallThrough: PASSTHROUGH_CLUSTER });
    expect(summarize(built?.message ?? {})).toEqual([':15001 → tcp BlackHoleCluster', '→ tcp PassthroughCluster']);
    expect(built?.message).toMatchObject({ useOriginalDst: { value: true } });
    expect(built?.message.transparent).toBeUndefined();
    expect(built?.needs.map(({ name }) => name)).toEqual(['BlackHoleCluster', 'PassthroughCluster']);
  });

  it('is transparent under TPROXY, and not there without interception', () => {
    const inputs = { settings, fallThrough: BLACK_HOLE_CLUSTER };
    const tproxy = buildVirtualOutbound({ ...inputs, traits: { ...traits, interception: 'TPROXY' } });
    expect(tproxy?.message.transparent).toEqual({ value: true });
    expect(buildVirtualOutbound({ ...inputs, traits: { ...traits, interception: 'NONE' } })).toBeUndefined();
  });

  it.each([
    ['nothing', {}, BLACK_HOLE_CLUSTER],
    ['REGISTRY_ONLY', { mode: 'REGISTRY_ONLY' as const }, BLACK_HOLE_CLUSTER],
    ['ALLOW_ANY', { mode: 'ALLOW_ANY' as const }, PASSTHROUGH_CLUSTER],
    [
      'an egress proxy',
      { mode: 'ALLOW_ANY' as const, egressProxy: { host: 'out.example.com', subset: 'v1', port: { number: 80 } } },
      outboundClusterName(80, 'v1', 'out.example.com'),
    ],
  ])('sends the unknown where the policy says: %s', (_, policy, expected) => {
    expect(fallThroughCluster(policy)).toBe(expected);
  });
});

describe('virtualInbound', () => {
  it('has a group of chains for each port of the workload', () => {
    const built = inboundOf([
      target('web', 80, 'HTTP', 8080),
      target('db', 5432, 'TCP'),
      target('mongo', 27_017, 'Mongo'),
      target('any', 90, 'auto', 9090),
    ]);
    expect(summarize(built?.message ?? {})).toEqual([
      ...unclaimed,
      ':5432 raw → tcp inbound|5432||',
      ':8080 raw → http inline inbound|8080||',
      ':9090 raw http/1.1,h2c → http inline inbound|9090||',
      ':9090 raw → tcp inbound|9090||',
      ':27017 raw → mongo_proxy tcp inbound|27017||',
    ]);
    expect(built?.message.filterChains?.map(({ name }) => name)).toEqual([
      'virtualInbound-blackhole',
      'virtualInbound',
      'virtualInbound-catchall-http',
      '0.0.0.0_5432',
      '0.0.0.0_8080',
      '0.0.0.0_9090',
      '0.0.0.0_9090',
      '0.0.0.0_27017',
    ]);
  });

  it('looks for HTTP only where nobody said and servers do not speak first', () => {
    const built = inboundOf([target('web', 80, 'HTTP', 8080), target('any', 90, 'auto', 9090)]);
    const [first, second] = inspectors(built?.message ?? {});
    expect(first).toBe('original_dst');
    expect(second).toMatch(/^http_inspector not .*3306.*,8080,15006/);
    expect(second).not.toContain('9090');
    expect(built?.message.listenerFiltersTimeout).toEqual({ seconds: 5, nanos: 0 });
  });

  it('shows the client’s address to the workload under TPROXY', () => {
    const tproxy = inboundOf([], { interception: 'TPROXY' })?.message ?? {};
    expect(inspectors(tproxy).slice(0, 2)).toEqual(['original_dst', 'original_src']);
    expect(tproxy.transparent).toEqual({ value: true });
    expect(inboundOf([], { interception: 'NONE' })).toBeUndefined();
  });

  it('tells the workload who the client is', () => {
    const built = inboundOf([target('web', 80, 'HTTP')]);
    const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
    expect(filterConfig(built?.message ?? {}, type, 3)).toMatchObject({
      statPrefix: 'inbound_0.0.0.0_80',
      serverName: 'istio-envoy',
      forwardClientCertDetails: 2,
      setCurrentClientCertDetails: { subject: { value: true }, dns: true, uri: true },
      routeConfig: { virtualHosts: [{ name: 'inbound|http|80', domains: ['*'] }] },
    });
  });

  it('names its clusters and the ports it comes from', () => {
    const built = inboundOf([target('web', 80, 'HTTP', 8080)]);
    expect(built?.needs.map(({ name }) => name)).toEqual([
      'BlackHoleCluster',
      'InboundPassthroughCluster',
      'inbound|8080||',
    ]);
    expect(built?.origins).toMatchObject([{ kind: 'Service', name: 'web', path: 'spec.ports[0]' }]);
  });
});

describe('rows of the table without mutual TLS', () => {
  it.each<[Protocol, string[]]>([
    ['HTTP', ['raw_buffer → http']],
    ['GRPC', ['raw_buffer → http']],
    ['TCP', ['raw_buffer → tcp']],
    ['TLS', ['raw_buffer → tcp']],
    ['auto', ['raw_buffer http/1.1,h2c → http', 'raw_buffer → tcp']],
  ])('%s', (protocol, expected) => {
    const inputs: InboundMatchInputs = { protocol, mode: 'DISABLE', http10: false };
    const lines = inboundRows(inputs).map(({ match, serves }) =>
      [match.transport, match.protocols?.join(','), '→', serves].filter(Boolean).join(' '),
    );
    expect(lines).toEqual(expected);
  });

  it('HTTP/1.0 is HTTP where the proxy may answer it', () => {
    const [first] = inboundRows({ protocol: 'auto', mode: 'DISABLE', http10: true });
    expect(first?.match.protocols).toEqual(['http/1.0', 'http/1.1', 'h2c']);
  });
});

describe('services that lead to one port', () => {
  it('share it as the oldest wants it', () => {
    const targets = [target('a', 80, 'HTTP', 8080), target('b', 81, 'TCP', 8080)];
    const { captured } = planInbound({ targets, ingress: [], interception: 'REDIRECT' });
    expect(captured).toMatchObject([{ port: 8080, protocol: 'HTTP', origins: [{ name: 'a' }, { name: 'b' }] }]);
  });

  it('are not looked at for UDP, nor without interception', () => {
    const targets = [target('a', 53, 'UDP')];
    expect(planInbound({ targets, ingress: [], interception: 'REDIRECT' }).captured).toEqual([]);
    const tcp = [target('a', 80, 'HTTP')];
    expect(planInbound({ targets: tcp, ingress: [], interception: 'NONE' }).captured).toEqual([]);
  });
});

describe('a Sidecar’s ingress', () => {
  const ingress = (spec: IngressListener) => [
    { spec, object: { kind: 'Sidecar', namespace: 'default', name: 's' }, path: 'spec.ingress[0]' },
  ];
  const http: IngressListener = {
    port: { number: 9080, name: 'http', protocol: 'HTTP' },
    defaultEndpoint: '127.0.0.1:80',
  };

  it('replaces what services say', () => {
    const planned = planInbound({
      targets: [target('a', 80, 'HTTP')],
      ingress: ingress(http),
      interception: 'REDIRECT',
    });
    expect(planned.captured).toMatchObject([{ port: 9080, cluster: 'inbound|9080||', origins: [{ kind: 'Sidecar' }] }]);
  });

  it('that is not captured is a real socket', () => {
    const { sockets, captured } = planInbound({
      targets: [],
      ingress: ingress({ ...http, captureMode: 'NONE', bind: '10.0.0.9' }),
      interception: 'REDIRECT',
    });
    expect(captured).toEqual([]);
    const built = sockets.flatMap((socket) => socketOf(socket) ?? []);
    expect(built.map(({ name }) => name)).toEqual(['10.0.0.9_9080']);
    expect(built.flatMap(({ message }) => summarize(message))).toEqual(['raw → http inline inbound|9080||']);
  });

  it('on all addresses does not take the name of an outbound listener', () => {
    const { sockets } = planInbound({ targets: [], ingress: ingress(http), interception: 'NONE' });
    expect(sockets.map((socket) => socketOf(socket)?.name)).toEqual(['inbound_0.0.0.0_9080']);
  });

  it.each<[string, IngressListener]>([
    ['TLS', { ...http, tls: { mode: 'SIMPLE' } }],
    ['a port of the proxy', { ...http, captureMode: 'NONE', port: { number: 15_001, name: 'x', protocol: 'HTTP' } }],
    ['a socket that leads to itself', { ...http, captureMode: 'NONE', defaultEndpoint: '0.0.0.0:80' }],
  ])('cannot be %s yet, and says so', (_, spec) => {
    const planned = planInbound({ targets: [], ingress: ingress(spec), interception: 'REDIRECT' });
    expect(planned).toMatchObject({ captured: [], sockets: [], diagnostics: [{ code: 'XEB2305' }] });
  });
});
