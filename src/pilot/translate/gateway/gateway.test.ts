import { describe, expect, it } from 'vitest';
import type { GatewayServer, ServerTls } from '../../../apis/networking/networking.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../../model/object.ts';
import type { ServiceTarget } from '../../../model/service.ts';
import { gateway } from '../../../testing/builders.ts';
import { settings, traits, unprotected } from '../listener/testing/sidecar.ts';
import { filterConfig, inspectors, summarize, unpack } from '../listener/testing/summary.ts';
import { at, port, service, virtualService } from '../policy/testing/fixtures.ts';
import { buildGatewayListener } from './listener.ts';
import { planGateway } from './plan.ts';

type ServerOptions = {
  readonly hosts?: readonly string[];
  readonly name?: string;
  readonly tls?: ServerTls;
  readonly bind?: string;
};

function server(protocol: string, number: number, { hosts = ['*'], name, ...rest }: ServerOptions = {}): GatewayServer {
  return { port: { number, protocol, name: name ?? `${protocol.toLowerCase()}-${number}` }, hosts, ...rest };
}

function gw(name: string, ...servers: readonly GatewayServer[]): ConfigObject<'Gateway'> {
  return gateway(name, { servers });
}

const simple: ServerTls = { mode: 'SIMPLE', serverCertificate: '/etc/certs/a.pem', privateKey: '/etc/certs/a.key' };
const passthrough: ServerTls = { mode: 'PASSTHROUGH' };

type Options = {
  readonly gateways: readonly ConfigObject<'Gateway'>[];
  readonly virtualServices?: readonly MeshVirtualService[];
  readonly targets?: readonly ServiceTarget[];
};

const db = service('db', { ports: [port(443, 'TLS')] });

function build({ gateways, virtualServices = [], targets = [] }: Options) {
  const plan = planGateway({ gateways, targets });
  const built = plan.ports.map((part) =>
    buildGatewayListener({
      plan: part,
      virtualServices,
      destinations: [at(db)],
      traits: { ...traits, kind: 'router' },
      settings,
      security: unprotected,
      secrets: [],
      tlsDefaults: {},
      exported: [],
    }),
  );
  const listeners = built.flatMap(({ listener }) => listener ?? []);
  return {
    chains: Object.fromEntries(listeners.map(({ name, message }) => [name, summarize(message)])),
    listeners: Object.fromEntries(listeners.map((listener) => [listener.name, listener])),
    routes: Object.fromEntries(
      plan.routes.map((route) => [route.name, route.servers.map((one) => `${one.gateway.meta.name}/${one.index}`)]),
    ),
    ports: plan.routes.map((route) => route.port),
    secrets: built.flatMap(({ secrets }) => secrets),
    told: [...plan.diagnostics, ...built.flatMap(({ diagnostics }) => diagnostics)].map(
      ({ code, object, path }) => `${code} ${object?.name} ${path.join('.')}`,
    ),
  };
}

describe('servers in the clear', () => {
  it('share a port, a connection manager and a route', () => {
    const gateways = [gw('a', server('HTTP', 80, { hosts: ['a.example.com'] })), gw('b', server('HTTP2', 80))];
    const { chains, routes, listeners } = build({ gateways });
    expect(chains).toEqual({ '0.0.0.0_80': ['→ http rds http.80'] });
    expect(routes).toEqual({ 'http.80': ['a/0', 'b/0'] });
    expect(inspectors(listeners['0.0.0.0_80']?.message ?? {})).toEqual([]);
    expect(listeners['0.0.0.0_80']?.origins.map(({ name, path }) => `${name} ${path}`)).toEqual([
      'a spec.servers[0]',
      'b spec.servers[0]',
    ]);
  });

  it('listen where the Service leads', () => {
    const ingress = service('ingress', { ports: [port(80)] });
    const targets = [{ service: ingress, port: port(80), targetPort: 8080 }];
    const { chains, routes, ports, told } = build({ gateways: [gw('a', server('HTTP', 80))], targets });
    expect(chains).toEqual({ '0.0.0.0_8080': ['→ http rds http.8080'] });
    expect(routes).toEqual({ 'http.8080': ['a/0'] });
    expect(ports).toEqual([80]);
    expect(told).toEqual([]);
  });

  it('that no Service leads to are opened all the same, and the owner is told', () => {
    const ingress = service('ingress', { ports: [port(80)] });
    const targets = [{ service: ingress, port: port(80), targetPort: 8080 }];
    const { chains, told } = build({ gateways: [gw('a', server('HTTP', 9000))], targets });
    expect(Object.keys(chains)).toEqual(['0.0.0.0_9000']);
    expect(told).toEqual(['IST0104 a spec.servers.0']);
  });

  it('may have an address of their own', () => {
    const { chains, routes } = build({
      gateways: [gw('a', server('HTTP', 80, { bind: '10.0.0.1' }), server('HTTP', 80))],
    });
    expect(Object.keys(chains)).toEqual(['10.0.0.1_80', '0.0.0.0_80']);
    expect(Object.keys(routes)).toEqual(['http.80.10.0.0.1', 'http.80']);
  });

  it('know for which namespace a host is', () => {
    const plan = planGateway({
      gateways: [
        gw(
          'infra/a',
          server('HTTP', 80, { hosts: ['shop/A.example.com', './b.example.com', '*/c.example.com', 'd.example.com'] }),
        ),
      ],
      targets: [],
    });
    expect(plan.routes[0]?.servers[0]?.hosts).toEqual([
      { namespace: 'shop', host: 'a.example.com' },
      { namespace: 'infra', host: 'b.example.com' },
      { namespace: undefined, host: 'c.example.com' },
      { namespace: undefined, host: 'd.example.com' },
    ]);
  });
});

describe('servers that end TLS', () => {
  it('have a chain and a route each, by server name', () => {
    const a = server('HTTPS', 443, { hosts: ['a.example.com', 'x/b.example.com'], tls: simple });
    const rest = server('HTTPS', 443, { name: 'rest', tls: simple });
    const { chains, routes, listeners, secrets } = build({ gateways: [gw('g', a, rest)] });
    expect(chains['0.0.0.0_443']).toEqual([
      'sni a.example.com,b.example.com → tls-ended http rds https.443.https-443.g.default',
      '→ tls-ended http rds https.443.rest.g.default',
    ]);
    expect(Object.keys(routes)).toEqual(['https.443.https-443.g.default', 'https.443.rest.g.default']);
    expect(inspectors(listeners['0.0.0.0_443']?.message ?? {})).toEqual(['tls_inspector']);
    expect(secrets.map(({ name }) => name)).toEqual(['file-cert:/etc/certs/a.pem~/etc/certs/a.key']);
    expect(secrets[0]?.message.tlsCertificate).toMatchObject({
      certificateChain: { filename: '/etc/certs/a.pem' },
      privateKey: { filename: '/etc/certs/a.key' },
      watchedDirectory: { path: '/etc/certs' },
    });
  });

  function contextOf(tls: ServerTls) {
    const { listeners } = build({ gateways: [gw('g', server('HTTPS', 443, { tls }))] });
    const config = listeners['0.0.0.0_443']?.message.filterChains?.[0]?.transportSocket?.typedConfig;
    if (config === undefined) throw new Error('no TLS');
    return unpack('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', config);
  }

  it('ask clients for certificates as their mode says', () => {
    const mutual: ServerTls = { ...simple, mode: 'MUTUAL', caCertificates: '/etc/certs/ca.pem' };
    expect(contextOf(simple)).toMatchObject({ requireClientCertificate: {} });
    expect(contextOf(simple).commonTlsContext?.combinedValidationContext).toBeUndefined();
    expect(contextOf(mutual)).toMatchObject({
      requireClientCertificate: { value: true },
      commonTlsContext: {
        alpnProtocols: ['h2', 'http/1.1'],
        combinedValidationContext: {
          validationContextSdsSecretConfig: {
            name: 'file-root:/etc/certs/ca.pem',
            sdsConfig: { initialFetchTimeout: { seconds: 5 } },
          },
        },
      },
    });
    expect(contextOf({ ...mutual, mode: 'OPTIONAL_MUTUAL' }).requireClientCertificate?.value ?? false).toBe(false);
  });

  it('accept the names they list, each in its kind', () => {
    const subjectAltNames = ['spiffe://a/b', 'c.example.com', '10.0.0.1', 'me@example.com'];
    const context = contextOf({
      ...simple,
      mode: 'MUTUAL',
      caCertificates: '/ca.pem',
      caCrl: '/crl.pem',
      subjectAltNames,
    });
    const validation = context.commonTlsContext?.combinedValidationContext;
    expect(validation?.validationContextSdsSecretConfig?.name).toBe('file-root:/ca.pem~/crl.pem');
    expect(
      validation?.defaultValidationContext?.matchTypedSubjectAltNames?.map(({ sanType, matcher }) => [
        sanType,
        matcher?.exact,
      ]),
    ).toEqual([
      [3, 'spiffe://a/b'],
      [2, 'c.example.com'],
      [4, '10.0.0.1'],
      [1, 'me@example.com'],
    ]);
  });

  it('speak TLS 1.2 and later unless told, and only ciphers that Envoy knows', () => {
    expect(contextOf(simple).commonTlsContext?.tlsParams).toEqual({ tlsMinimumProtocolVersion: 3 });
    const cipherSuites = ['ECDHE-RSA-AES128-GCM-SHA256', 'NO-SUCH-SUITE', 'ECDHE-RSA-AES128-GCM-SHA256'];
    const tls: ServerTls = { ...simple, minProtocolVersion: 'TLSV1_1', maxProtocolVersion: 'TLSV1_3', cipherSuites };
    expect(contextOf(tls).commonTlsContext?.tlsParams).toEqual({
      tlsMinimumProtocolVersion: 2,
      tlsMaximumProtocolVersion: 4,
      cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'],
    });
  });

  it('may have a certificate of each kind', () => {
    const tlsCertificates = ['rsa', 'ec'].map((kind) => ({
      serverCertificate: `/${kind}.pem`,
      privateKey: `/${kind}.key`,
    }));
    const { secrets } = build({
      gateways: [gw('g', server('HTTPS', 443, { tls: { mode: 'SIMPLE', tlsCertificates } }))],
    });
    expect(secrets.map(({ name }) => name)).toEqual(['file-cert:/rsa.pem~/rsa.key', 'file-cert:/ec.pem~/ec.key']);
  });

  it.each<[string, ServerTls]>([
    ['no certificate', { mode: 'SIMPLE' }],
    ['no authority', { ...simple, mode: 'MUTUAL' }],
    ['pins that are none', { ...simple, mode: 'MUTUAL', caCertificates: '/ca.pem', verifyCertificateHash: ['zz'] }],
    ['a name that is none', { mode: 'SIMPLE', credentialName: 'a/b/c' }],
    ['the name of an authority', { mode: 'SIMPLE', credentialName: 'a-cacert' }],
    ['authorities of another store', { mode: 'MUTUAL', credentialName: 'a', caCertCredentialName: 'configmap://a' }],
  ])('with %s are not served, and the others are', (_, tls) => {
    const bad = server('HTTPS', 443, { hosts: ['bad.example.com'], tls });
    const good = server('HTTPS', 443, { hosts: ['good.example.com'], name: 'good', tls: simple });
    const { chains, told } = build({ gateways: [gw('g', bad, good)] });
    expect(chains['0.0.0.0_443']).toEqual(['sni good.example.com → tls-ended http rds https.443.good.g.default']);
    expect(told).toEqual(['XEB2403 g spec.servers.0']);
  });
});

describe('connections', () => {
  const tlsTo = (sniHosts: readonly string[], gateways = ['default/g']) =>
    virtualService('v', {
      hosts: ['*.example.com'],
      gateways,
      tls: [{ match: [{ sniHosts, port: 443 }], route: [{ destination: { host: db.hostname } }] }],
    });
  const tcpTo = (match = {}) =>
    virtualService('v', {
      hosts: ['*'],
      gateways: ['default/g'],
      tcp: [{ match: [match], route: [{ destination: { host: db.hostname } }] }],
    });
  const cluster = `outbound|443||${db.hostname}`;

  it('of TLS that goes on are told by server name, and only by names the server has', () => {
    const gateways = [gw('g', server('TLS', 443, { hosts: ['*.example.com'], tls: passthrough }))];
    const virtualServices = [tlsTo(['a.example.com', 'a.other.com'])];
    const { chains, told } = build({ gateways, virtualServices });
    expect(chains).toEqual({ '0.0.0.0_443': [`sni a.example.com → tcp ${cluster}`] });
    expect(told).toEqual([]);
  });

  it('of TLS that ends go where a TCP route leads', () => {
    const gateways = [gw('g', server('TLS', 443, { hosts: ['a.example.com'], tls: simple }))];
    expect(build({ gateways, virtualServices: [tcpTo()] }).chains).toEqual({
      '0.0.0.0_443': [`sni a.example.com → tls-ended tcp ${cluster}`],
    });
  });

  it('of TCP go where the first route that applies leads', () => {
    const gateways = [gw('g', server('TCP', 31_400))];
    expect(build({ gateways, virtualServices: [tcpTo({ port: 31_400 })] }).chains).toEqual({
      '0.0.0.0_31400': [`→ tcp ${cluster}`],
    });
  });

  it('without a route are not taken, and the owner is told', () => {
    const gateways = [
      gw('g', server('TCP', 31_400), server('TLS', 443, { hosts: ['a.example.com'], tls: passthrough })),
    ];
    const { chains, told } = build({
      gateways,
      virtualServices: [tcpTo({ port: 1 }), tlsTo(['a.example.com'], ['x/y'])],
    });
    expect(chains).toEqual({});
    expect(told).toEqual(['XEB2404 g spec.servers.0', 'XEB2404 g spec.servers.1']);
  });

  it('of Mongo are read on their way', () => {
    const gateways = [gw('g', server('MONGO', 27_017))];
    expect(build({ gateways, virtualServices: [tcpTo()] }).chains['0.0.0.0_27017']).toEqual([
      `→ mongo_proxy tcp ${cluster}`,
    ]);
  });
});

it('a server that cannot be served has no routes, and takes nothing from others', () => {
  const hosts = ['a.example.com'];
  const gateways = [
    gw('a', server('HTTPS', 443, { hosts, tls: { mode: 'SIMPLE' } })),
    gw('b', server('HTTPS', 443, { hosts, tls: simple })),
  ];
  const { chains, routes, told } = build({ gateways });
  expect(chains).toEqual({ '0.0.0.0_443': ['sni a.example.com → tls-ended http rds https.443.https-443.b.default'] });
  expect(Object.keys(routes)).toEqual(['https.443.https-443.b.default']);
  expect(told).toEqual(['XEB2403 a spec.servers.0']);
});

it('hosts that are no server name are left out, and the owner is told', () => {
  const hosts = ['*a.example.com', 'b.example.com'];
  const { chains, told } = build({ gateways: [gw('a', server('HTTPS', 443, { hosts, tls: simple }))] });
  expect(chains).toEqual({ '0.0.0.0_443': ['sni b.example.com → tls-ended http rds https.443.https-443.a.default'] });
  expect(told).toEqual(['XEB2303 a spec.servers.0']);
});

describe('who loses', () => {
  it('a port: the younger, whatever it speaks', () => {
    const gateways = [
      gw('a', server('HTTP', 80), server('TCP', 31_400)),
      gw('b', server('TCP', 80), server('HTTPS', 80, { tls: simple }), server('TCP', 31_400)),
    ];
    expect(build({ gateways }).told.filter((line) => line.startsWith('XEB2401'))).toEqual([
      'XEB2401 b spec.servers.0',
      'XEB2401 b spec.servers.1',
      'XEB2401 b spec.servers.2',
    ]);
  });

  it('a server name: the younger loses it, and keeps its others', () => {
    const gateways = [
      gw('a', server('HTTPS', 443, { hosts: ['a.example.com'], tls: simple })),
      gw('b', server('HTTPS', 443, { hosts: ['a.example.com', 'b.example.com'], tls: simple })),
    ];
    const { chains, told, routes } = build({ gateways });
    expect(chains['0.0.0.0_443']).toEqual([
      'sni a.example.com → tls-ended http rds https.443.https-443.a.default',
      'sni b.example.com → tls-ended http rds https.443.https-443.b.default',
    ]);
    expect(Object.keys(routes)).toHaveLength(2);
    expect(told).toEqual(['XEB2402 b spec.servers.0']);
  });
});

it('one HTTPS server on two ports has one route', () => {
  const ingress = service('ingress', { ports: [port(443)] });
  const targets = [8443, 9443].map((targetPort) => ({ service: ingress, port: port(443, 'TLS'), targetPort }));
  const { chains, routes } = build({ gateways: [gw('g', server('HTTPS', 443, { tls: simple }))], targets });
  expect(Object.keys(chains)).toEqual(['0.0.0.0_8443', '0.0.0.0_9443']);
  expect(Object.keys(routes)).toEqual(['https.443.https-443.g.default']);
});

it('gRPC-Web is translated where a server speaks it', () => {
  const { listeners } = build({ gateways: [gw('g', server('GRPC-Web', 80))] });
  const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const names = filterConfig(listeners['0.0.0.0_80']?.message ?? {}, type).httpFilters?.map(({ name }) => name);
  expect(names?.[0]).toBe('envoy.filters.http.grpc_web');
});
