import { describe, expect, it } from 'vitest';
import type { TrafficPolicy } from '../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import type { TransportSocket } from '../../../gen/types.ts';
import type { Protocol, Service } from '../../../model/service.ts';
import { meshConfig } from '../../../testing/config.ts';
import { accountsOf, allTakeMutualTls } from '../endpoint/accounts.ts';
import { mutualTlsSettings } from '../peer/settings.ts';
import { defaults, endpoint, noPeers, port, rule, service } from '../policy/testing/fixtures.ts';
import { buildOutboundClusters, type OutboundClusterInputs } from './outbound.ts';

const TLS = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
const accounts = 'ns/default/sa/a\nns/default/sa/b';

type Options = Partial<OutboundClusterInputs> & {
  readonly protocol?: Protocol;
  readonly of?: Partial<Service>;
  readonly policy?: TrafficPolicy;
};

function build({ protocol = 'HTTP', of = {}, policy, ...inputs }: Options = {}) {
  const { resources, diagnostics } = buildOutboundClusters({
    service: service('reviews', of),
    port: port(80, protocol),
    rule: policy && rule({ trafficPolicy: policy }),
    dnsEndpoints: undefined,
    client: undefined,
    defaults,
    kind: 'sidecar',
    ...noPeers,
    identityFolder: '/etc/certs',
    accounts,
    ...inputs,
  });
  const [built] = resources;
  if (built === undefined) throw new Error('no cluster');
  return { cluster: decodeMessage(built.type, encodeMessage(built.type, built.message)), diagnostics };
}

function read(socket: TransportSocket | undefined) {
  const typed = socket?.typedConfig;
  if (typed === undefined || !typed.type_url.endsWith(TLS)) return undefined;
  return decodeMessage(TLS, typed.value);
}

function mutual(options: Options = {}) {
  const context = read(build(options).cluster.transportSocketMatches?.[0]?.transportSocket);
  if (context === undefined) throw new Error('no mutual TLS');
  return context;
}

const names = ({ commonTlsContext }: ReturnType<typeof mutual>): readonly unknown[] =>
  (commonTlsContext?.combinedValidationContext?.defaultValidationContext?.matchTypedSubjectAltNames ?? []).map(
    ({ matcher }) => matcher?.exact ?? matcher,
  );

describe('mutual TLS by itself', () => {
  it('is used with endpoints that take it, and plaintext with others', () => {
    const { transportSocketMatches: matches, transportSocket } = build().cluster;
    expect(transportSocket).toBeUndefined();
    expect(matches?.map(({ name, match }) => [name, match])).toEqual([
      ['tlsMode-istio', { fields: { tlsMode: { stringValue: 'istio' } } }],
      ['tlsMode-disabled', {}],
    ]);
    expect(matches?.[1]?.transportSocket?.name).toBe('envoy.transport_sockets.raw_buffer');
    expect(mutual().sni).toBe('outbound_.80_._.reviews.default.svc.cluster.local');
  });

  it.each<[string, Options]>([
    ['without certificates', { identityFolder: '' }],
    ['where the mesh has it off', { defaults: { ...defaults, autoMutualTls: false } }],
    ['outside the mesh', { of: { meshExternal: true } }],
    ['for gRPC clients', { kind: 'proxyless' }],
    ['where a rule has it off', { policy: { tls: { mode: 'DISABLE' } } }],
    ['for hosts that requests bring along', { of: { resolution: { kind: 'dynamic-dns' } } }],
    ['where some of those that are dialled do not take it', { of: { resolution: { kind: 'passthrough' } } }],
  ])('is not there %s', (_, options) => {
    const { transportSocketMatches, transportSocket } = build(options).cluster;
    expect([transportSocketMatches ?? [], transportSocket]).toEqual([[], undefined]);
  });

  it('is for all where addresses are dialled that all take it', () => {
    const { cluster } = build({ of: { resolution: { kind: 'passthrough' } }, allTakeMutualTls: true });
    expect(read(cluster.transportSocket)?.sni).toBe('outbound_.80_._.reviews.default.svc.cluster.local');
    expect(cluster.transportSocketMatches ?? []).toEqual([]);
  });

  it.each<[Protocol, Options, readonly string[]]>([
    ['HTTP', {}, ['istio-http/1.1', 'istio', 'http/1.1']],
    ['HTTP2', {}, ['istio-h2', 'istio', 'h2']],
    ['GRPC', {}, ['istio-h2', 'istio', 'h2']],
    ['HTTP', { policy: { connectionPool: { http: { useClientProtocol: true } } } }, ['istio-http/1.1', 'istio']],
    ['TCP', {}, ['istio']],
    ['HTTPS', {}, ['istio']],
    ['auto', {}, ['istio']],
  ])('says what is inside: %s %j', (protocol, options, expected) => {
    expect(mutual({ protocol, ...options }).commonTlsContext?.alpnProtocols).toEqual(expected);
  });
});

describe('whom a client expects', () => {
  const twoDomains = { ...defaults, mutualTls: mutualTlsSettings(meshConfig({ trustDomainAliases: ['old'] })) };

  it('the endpoints’ accounts in every trust domain, and names that the service lists', () => {
    const listed = { subjectAltNames: ['spiffe://x/own', 'spiffe://old/ns/default/sa/a'] };
    expect(names(mutual({ defaults: twoDomains, of: listed }))).toEqual([
      'spiffe://cluster.local/ns/default/sa/a',
      'spiffe://cluster.local/ns/default/sa/b',
      'spiffe://old/ns/default/sa/a',
      'spiffe://old/ns/default/sa/b',
      'spiffe://x/own',
    ]);
  });

  it('anybody of the mesh where no account is known', () => {
    expect(names(mutual({ accounts: '', defaults: twoDomains }))).toEqual([
      { prefix: 'spiffe://cluster.local/' },
      { prefix: 'spiffe://old/' },
    ]);
  });

  it('accounts are said once, sorted, whatever the order of endpoints', () => {
    const b = endpoint('10.0.0.1', { serviceAccount: 'b' });
    const a = endpoint('10.0.0.2', { serviceAccount: 'a' });
    const nobody = endpoint('10.0.0.3', { serviceAccount: '' });
    expect(accountsOf([b, a, nobody, { ...a, address: '10.0.0.4' }])).toBe(accounts);
    expect(accountsOf([a, b])).toBe(accounts);
  });

  it('all endpoints take mutual TLS only where there are some', () => {
    expect(allTakeMutualTls([])).toBe(false);
    const [takes, not] = [endpoint('10.0.0.1', { tlsMode: 'istio' }), endpoint('10.0.0.2')];
    expect([allTakeMutualTls([takes]), allTakeMutualTls([takes, not])]).toEqual([true, false]);
  });
});

describe('a rule', () => {
  it('ISTIO_MUTUAL is for all endpoints, with its own names where it has some', () => {
    const { cluster } = build({ policy: { tls: { mode: 'ISTIO_MUTUAL' } } });
    expect(cluster.transportSocketMatches ?? []).toEqual([]);
    expect(names(read(cluster.transportSocket) ?? {})).toHaveLength(2);
    const tls = { mode: 'ISTIO_MUTUAL', sni: 'x', subjectAltNames: ['spiffe://a/b'] } as const;
    const own = read(build({ policy: { tls } }).cluster.transportSocket);
    expect([own?.sni, names(own ?? {})]).toEqual(['x', ['spiffe://a/b']]);
  });

  it('ISTIO_MUTUAL leads nowhere without certificates', () => {
    const { cluster, diagnostics } = build({ identityFolder: '', policy: { tls: { mode: 'ISTIO_MUTUAL' } } });
    expect([cluster.type, cluster.transportSocket]).toEqual([0, undefined]);
    expect(diagnostics.map(({ code }) => code)).toEqual(['XEB2102']);
  });

  it.each([
    ['DISABLE', ['IST0113']],
    ['SIMPLE', ['IST0113']],
    ['ISTIO_MUTUAL', []],
  ] as const)('%s against a STRICT server', (mode, expected) => {
    const { diagnostics } = build({ isStrict: true, policy: { tls: { mode } } });
    expect(diagnostics.map(({ code }) => code)).toEqual(expected);
  });

  it.each([
    ['ISTIO_MUTUAL', ['IST0113']],
    ['DISABLE', []],
  ] as const)('%s against a server that a policy keeps from mutual TLS', (mode, expected) => {
    const { diagnostics } = build({ isPlain: true, policy: { tls: { mode } } });
    expect(diagnostics.map(({ code }) => code)).toEqual(expected);
  });

  it('the PROXY protocol goes before either', () => {
    const { transportSocketMatches = [] } = build({ policy: { proxyProtocol: { version: 'V1' } } }).cluster;
    expect(transportSocketMatches.map(({ transportSocket }) => transportSocket?.name)).toEqual([
      'envoy.transport_sockets.upstream_proxy_protocol',
      'envoy.transport_sockets.upstream_proxy_protocol',
    ]);
  });
});
