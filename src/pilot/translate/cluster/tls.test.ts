import { describe, expect, it } from 'vitest';
import type { ClientTls } from '../../../apis/networking/networking.ts';
import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import { Cluster_DiscoveryType } from '../../../gen/types.ts';
import { defaults, noPeers, port, rule, service } from '../policy/testing/fixtures.ts';
import { buildOutboundClusters } from './outbound.ts';

const TLS = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function build(tls: ClientTls, options: { verifyServers?: boolean; subjectAltNames?: string[]; grpc?: boolean } = {}) {
  const { verifyServers = true, subjectAltNames = [], grpc = false } = options;
  return buildOutboundClusters({
    service: service('api.example.com', { subjectAltNames }),
    port: port(443, grpc ? 'GRPC' : 'HTTP'),
    rule: rule({ trafficPolicy: { tls } }),
    dnsEndpoints: undefined,
    client: undefined,
    defaults: { ...defaults, verifyServers },
    kind: 'sidecar',
    ...noPeers,
  });
}

function read(...args: Parameters<typeof build>) {
  const built = build(...args).resources[0];
  if (built === undefined) throw new Error('no cluster');
  const cluster = decodeMessage(built.type, encodeMessage(built.type, built.message));
  const http = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS];
  const socket = cluster.transportSocket?.typedConfig;
  return {
    cluster,
    context: socket && decodeMessage(TLS, socket.value),
    http: http && decodeMessage(HTTP_OPTIONS, http.value).upstreamHttpProtocolOptions,
  };
}

const roots = { trustedCa: { filename: '/etc/ssl/certs/ca-certificates.crt' } };
const ca = { caCertificates: '/ca.pem' };
const own = { trustedCa: { filename: '/ca.pem' } };
const certificate = { clientCertificate: '/cert.pem', privateKey: '/key.pem' };

describe('TLS origination', () => {
  it.each<[string, ClientTls, object]>([
    ['SIMPLE, verified by the machine', { mode: 'SIMPLE' }, { commonTlsContext: { validationContext: roots } }],
    [
      'SIMPLE with a CA',
      { mode: 'SIMPLE', ...ca, sni: 'x' },
      { sni: 'x', commonTlsContext: { validationContext: own } },
    ],
    [
      'SIMPLE, not verified',
      { mode: 'SIMPLE', insecureSkipVerify: true },
      { commonTlsContext: { validationContext: { trustChainVerification: 1 } } },
    ],
    [
      'SIMPLE with names and a revocation list',
      { mode: 'SIMPLE', ...ca, caCrl: '/crl.pem', subjectAltNames: ['spiffe://td/x', 'a.example', '10.0.0.1'] },
      {
        commonTlsContext: {
          validationContext: {
            ...own,
            crl: { filename: '/crl.pem' },
            matchTypedSubjectAltNames: [
              { sanType: 3, matcher: { exact: 'spiffe://td/x' } },
              { sanType: 2, matcher: { exact: 'a.example' } },
              { sanType: 4, matcher: { exact: '10.0.0.1' } },
            ],
          },
        },
      },
    ],
    [
      'MUTUAL',
      { mode: 'MUTUAL', ...certificate, ...ca },
      {
        commonTlsContext: {
          validationContext: own,
          tlsCertificates: [{ certificateChain: { filename: '/cert.pem' }, privateKey: { filename: '/key.pem' } }],
        },
      },
    ],
  ])('%s', (_, tls, expected) => {
    expect(read(tls).context).toEqual(expected);
  });

  it('is off with DISABLE', () => {
    expect(read({ mode: 'DISABLE' }).cluster.transportSocket).toBeUndefined();
  });

  it('takes the names of the ServiceEntry where the rule has none', () => {
    const { context } = read({ mode: 'SIMPLE', ...ca }, { subjectAltNames: ['b.example'] });
    expect(context?.commonTlsContext?.validationContext?.matchTypedSubjectAltNames).toEqual([
      { sanType: 2, matcher: { exact: 'b.example' } },
    ]);
  });

  it('does not verify by itself where the mesh says so', () => {
    expect(read({ mode: 'SIMPLE' }, { verifyServers: false }).context).toEqual({ commonTlsContext: {} });
  });

  it('offers HTTP/2 to servers of HTTP/2', () => {
    expect(read({ mode: 'SIMPLE' }, { grpc: true }).context?.commonTlsContext?.alpnProtocols).toEqual(['h2']);
  });
});

it.each<[string, ClientTls, object | undefined]>([
  ['a server name of its own', { mode: 'SIMPLE', sni: 'x' }, undefined],
  [
    'none: the request says it, and what the certificate must name',
    { mode: 'SIMPLE' },
    { autoSni: true, autoSanValidation: true },
  ],
  ['names of its own', { mode: 'SIMPLE', subjectAltNames: ['x'] }, { autoSni: true }],
  ['nothing to verify', { mode: 'SIMPLE', insecureSkipVerify: true }, { autoSni: true }],
])('server name with %s', (_, tls, expected) => {
  expect(read(tls).http).toEqual(expected);
});

it.each<[string, ClientTls]>([
  ['workload certificates', { mode: 'ISTIO_MUTUAL' }],
  ['no certificate', { mode: 'MUTUAL' }],
])('refuses traffic rather than sending it in plaintext: %s', (_, tls) => {
  const { diagnostics } = build(tls);
  expect(diagnostics).toMatchObject([{ code: 'XEB2102', level: 'error', path: ['spec', 'trafficPolicy', 'tls'] }]);
  const { cluster } = read(tls);
  expect(cluster.type ?? Cluster_DiscoveryType.STATIC).toBe(Cluster_DiscoveryType.STATIC);
  expect(cluster).not.toHaveProperty('loadAssignment');
});

it('sends the PROXY header before TLS', () => {
  const built = buildOutboundClusters({
    service: service('reviews'),
    port: port(80, 'TCP'),
    rule: rule({ trafficPolicy: { proxyProtocol: { version: 'V2' } } }),
    dnsEndpoints: undefined,
    client: undefined,
    defaults,
    kind: 'sidecar',
    ...noPeers,
  }).resources[0];
  expect(built?.message.transportSocket?.name).toBe('envoy.transport_sockets.upstream_proxy_protocol');
});
