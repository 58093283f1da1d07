import { describe, expect, it } from 'vitest';
import type { Protocol, ServiceTarget } from '../../../model/service.ts';
import { meshConfig } from '../../../testing/config.ts';
import { readListenerSettings } from '../filters/settings.ts';
import type { PeerPlan } from '../peer/plan.ts';
import { at, port, service } from '../policy/testing/fixtures.ts';
import type { InboundTlsMode } from './inbound-match.ts';
import { planInbound } from './inbound-plan.ts';
import { settings, traits, unprotected } from './testing/sidecar.ts';
import { inspectors, summarize, unpack } from './testing/summary.ts';
import { buildInboundSocket, buildVirtualInbound } from './virtual-inbound.ts';

const TLS = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const known = { ...traits, identityFolder: '/etc/certs' };
const byWeb = { object: { kind: 'PeerAuthentication', namespace: 'default', name: 'web' }, path: 'spec.mtls.mode' };

function peerOf(mode: InboundTlsMode, ports: readonly (readonly [number, InboundTlsMode])[] = []): PeerPlan {
  return {
    mode,
    ports: new Map(ports),
    said: new Map<number | 'rest', typeof byWeb>([['rest', byWeb], ...ports.map(([own]) => [own, byWeb] as const)]),
  };
}

function target(number: number, protocol: Protocol): ServiceTarget {
  const of = service('web', { ports: [port(number, protocol)] });
  return { service: of, port: at(of).port, targetPort: number };
}

type Options = { readonly traits?: typeof traits; readonly settings?: typeof settings };

function inboundOf(targets: readonly ServiceTarget[], peer: PeerPlan, options: Options = {}) {
  const { captured } = planInbound({ targets, ingress: [], interception: 'REDIRECT' });
  const security = { ...unprotected, peer };
  const { listener, diagnostics } = buildVirtualInbound({ captured, settings, traits: known, security, ...options });
  if (listener === undefined) throw new Error('no listener');
  return { message: listener.message, lines: summarize(listener.message), diagnostics, origins: listener.origins };
}

const ofPort = (lines: readonly string[], number: number): readonly string[] =>
  lines.filter((line) => line.startsWith(`:${number} `)).map((line) => line.replace(`:${number} `, ''));

const mesh = 'istio-peer-exchange,istio,istio-http/1.0,istio-http/1.1,istio-h2';
const http = 'istio-http/1.0,istio-http/1.1,istio-h2';

describe('the chains of a port', () => {
  it.each<[InboundTlsMode, Protocol, readonly string[]]>([
    ['STRICT', 'HTTP', ['tls → tls-ended http inline inbound|80||']],
    ['STRICT', 'GRPC', ['tls → tls-ended http inline inbound|80||']],
    ['STRICT', 'TCP', ['tls → tls-ended tcp inbound|80||']],
    ['STRICT', 'HTTPS', ['tls → tls-ended tcp inbound|80||']],
    ['STRICT', 'MySQL', ['tls → tls-ended tcp inbound|80||']],
    ['STRICT', 'Mongo', ['tls → tls-ended mongo_proxy tcp inbound|80||']],
    ['STRICT', 'auto', [`tls ${http} → tls-ended http inline inbound|80||`, 'tls → tls-ended tcp inbound|80||']],
    ['PERMISSIVE', 'HTTP', [`tls ${mesh} → tls-ended http inline inbound|80||`, 'raw → http inline inbound|80||']],
    [
      'PERMISSIVE',
      'TCP',
      [`tls ${mesh} → tls-ended tcp inbound|80||`, 'tls → tcp inbound|80||', 'raw → tcp inbound|80||'],
    ],
    [
      'PERMISSIVE',
      'TLS',
      [`tls ${mesh} → tls-ended tcp inbound|80||`, 'tls → tcp inbound|80||', 'raw → tcp inbound|80||'],
    ],
    [
      'PERMISSIVE',
      'auto',
      [
        `tls ${http} → tls-ended http inline inbound|80||`,
        'tls istio-peer-exchange,istio → tls-ended tcp inbound|80||',
        'raw http/1.1,h2c → http inline inbound|80||',
        'raw → tcp inbound|80||',
        'tls → tcp inbound|80||',
      ],
    ],
    ['DISABLE', 'HTTP', ['raw → http inline inbound|80||']],
    ['DISABLE', 'TLS', ['raw → tcp inbound|80||']],
    ['DISABLE', 'auto', ['raw http/1.1,h2c → http inline inbound|80||', 'raw → tcp inbound|80||']],
  ])('%s %s', (mode, protocol, expected) => {
    expect(ofPort(inboundOf([target(80, protocol)], peerOf(mode)).lines, 80)).toEqual(expected);
  });

  it('of ports that no service names are as the workload', () => {
    const lines = inboundOf([], peerOf('STRICT')).lines.filter((line) => !line.startsWith(':'));
    expect(lines).toEqual([
      'tls → tls-ended tcp InboundPassthroughCluster',
      `tls ${http} → tls-ended http inline InboundPassthroughCluster`,
    ]);
  });

  it('of such a port may be unlike the rest', () => {
    const { lines } = inboundOf([], peerOf('STRICT', [[7000, 'DISABLE']]));
    expect(ofPort(lines, 7000)).toEqual([
      'raw → tcp InboundPassthroughCluster',
      'raw http/1.1,h2c → http inline InboundPassthroughCluster',
    ]);
  });
});

describe('who waits for first bytes', () => {
  const ports = [target(80, 'HTTP'), target(90, 'auto'), target(3306, 'MySQL')];
  const looking = (peer: PeerPlan) => inspectors(inboundOf(ports, peer).message);

  it('under DISABLE nobody waits for TLS', () => {
    expect(looking(peerOf('DISABLE')).map((line) => line.split(' ')[0])).toEqual(['original_dst', 'http_inspector']);
  });

  it('under PERMISSIVE all but well-known servers that speak first and that no service names', () => {
    const [, tls = ''] = looking(peerOf('PERMISSIVE'));
    expect(tls).toMatch(/^tls_inspector not 21,22,25,/);
    expect(tls).not.toMatch(/[ ,](?:80|90|3306)(?:,|$)/);
  });

  it('under STRICT everybody for TLS, and nobody for HTTP', () => {
    expect(looking(peerOf('STRICT'))).toEqual(['original_dst', 'tls_inspector not 15006']);
  });

  it('where the rest is DISABLE only the ports that are not', () => {
    const { message } = inboundOf(ports, peerOf('DISABLE', [[80, 'STRICT']]));
    expect(message.listenerFilters?.[1]?.filterDisabled).toEqual({
      notMatch: { destinationPortRange: { start: 80, end: 81 } },
    });
  });
});

describe('a proxy without certificates', () => {
  it('takes plaintext where that is permitted', () => {
    const { lines, diagnostics } = inboundOf([target(80, 'HTTP')], peerOf('PERMISSIVE'), { traits });
    expect(ofPort(lines, 80)).toEqual(['raw → http inline inbound|80||']);
    expect(diagnostics).toEqual([]);
  });

  it('is closed where it is not, and its owner is told', () => {
    const { lines, diagnostics } = inboundOf([target(80, 'HTTP')], peerOf('STRICT'), { traits });
    expect(lines).toEqual([':15006 → tcp BlackHoleCluster', '→ tcp BlackHoleCluster', ':80 → tcp BlackHoleCluster']);
    expect(diagnostics.map(({ code, object }) => [code, object?.name])).toEqual([
      ['XEB2308', 'web'],
      ['XEB2308', 'web'],
    ]);
  });

  it('closes a single port, which would be passed through otherwise', () => {
    const { lines } = inboundOf([], peerOf('PERMISSIVE', [[7000, 'STRICT']]), { traits });
    expect(ofPort(lines, 7000)).toEqual(['→ tcp BlackHoleCluster']);
  });
});

describe('how mutual TLS is ended', () => {
  function contextOf(mesh: Parameters<typeof meshConfig>[0] = {}) {
    const { message } = inboundOf([target(80, 'HTTP')], peerOf('STRICT'), {
      settings: readListenerSettings(meshConfig(mesh)),
    });
    const typed = message.filterChains?.at(-1)?.transportSocket?.typedConfig;
    if (typed === undefined) throw new Error('no TLS');
    return unpack(TLS, typed);
  }

  it('a certificate of the mesh’s trust domains is asked for, and the own one is watched', () => {
    const { commonTlsContext: context, requireClientCertificate } = contextOf({ trustDomainAliases: ['old.example'] });
    expect(requireClientCertificate).toEqual({ value: true });
    expect(context?.combinedValidationContext?.defaultValidationContext?.matchTypedSubjectAltNames).toEqual([
      { sanType: 3, matcher: { prefix: 'spiffe://cluster.local/' } },
      { sanType: 3, matcher: { prefix: 'spiffe://old.example/' } },
    ]);
    expect(context?.tlsCertificateSdsSecretConfigs).toMatchObject([
      {
        name: 'default',
        sdsConfig: {
          pathConfigSource: { path: '/etc/certs/sds-cert.yaml', watchedDirectory: { path: '/etc/certs' } },
        },
      },
    ]);
    expect(context?.combinedValidationContext?.validationContextSdsSecretConfig?.name).toBe('ROOTCA');
    expect(context?.alpnProtocols).toEqual(['h2', 'http/1.1']);
  });

  it.each([
    [{}, { tlsMinimumProtocolVersion: 3, tlsMaximumProtocolVersion: 4 }],
    [
      { meshMTLS: { minProtocolVersion: 'TLSV1_3' as const, cipherSuites: ['AES128-SHA', 'NO-SUCH'] } },
      { tlsMinimumProtocolVersion: 4, tlsMaximumProtocolVersion: 4, cipherSuites: ['AES128-SHA'] },
    ],
    [{ meshMTLS: { cipherSuites: ['NO-SUCH'] } }, { tlsMinimumProtocolVersion: 3, tlsMaximumProtocolVersion: 4 }],
  ])('with the versions of the mesh %j', (mesh, expected) => {
    expect(contextOf(mesh).commonTlsContext?.tlsParams).toEqual(expected);
  });
});

describe('a socket of a Sidecar', () => {
  it('looks at connections as the port asks for it', () => {
    const { captured } = planInbound({ targets: [target(80, 'auto')], ingress: [], interception: 'REDIRECT' });
    const [socket] = captured;
    if (socket === undefined) throw new Error('no port');
    const build = (mode: InboundTlsMode) => {
      const security = { ...unprotected, peer: peerOf(mode) };
      const inputs = { socket: { ...socket, address: '0.0.0.0' }, settings, traits: known, security };
      return inspectors(buildInboundSocket(inputs).listener?.message ?? {});
    };
    expect(build('DISABLE')).toEqual(['http_inspector']);
    expect(build('PERMISSIVE')).toEqual(['tls_inspector', 'http_inspector']);
    expect(build('STRICT')).toEqual(['tls_inspector']);
  });
});
