import fc from 'fast-check';
import { type Manifest, object } from '../../feature/pilot/support/manifests.ts';
import { peerPolicies } from './random-peers.ts';
import { otherRegistry, registry } from './random-registry.ts';
import { secrets } from './random-secrets.ts';
import { tokenPolicies } from './random-tokens.ts';
import { exported, exportTo, istio, labels, meshHost, name, namespace, own, rarely, subset } from './random-words.ts';

// All objects are good ones.

const destination = fc
  .record({ host: meshHost, subset: rarely(subset), port: rarely(fc.constantFrom(80, 9000)) })
  .map(({ host, subset: chosen, port }) => ({
    host,
    ...(chosen === undefined ? {} : { subset: chosen }),
    ...(port === undefined ? {} : { port: { number: port } }),
  }));

const httpMatch = fc.constantFrom<object[]>(
  { uri: { prefix: '/p' } },
  { uri: { exact: '/e' }, sourceLabels: { version: 'v1' } },
  { headers: { user: { exact: 'jason' } } },
  { port: 80 },
  { sourceNamespace: 'a' },
);

const httpRoute = fc
  .record({
    match: rarely(fc.array(httpMatch, { minLength: 1, maxLength: 2 })),
    action: fc.oneof(
      destination.map((to) => ({ route: [{ destination: to }] })),
      fc.tuple(destination, destination).map(([one, other]) => ({
        route: [
          { destination: one, weight: 30 },
          { destination: other, weight: 70 },
        ],
      })),
      destination.map((to) => ({ route: [{ destination: to }], mirror: to, timeout: '3s', retries: { attempts: 2 } })),
      fc.constant({ redirect: { uri: '/elsewhere' } }),
      fc.constant({ directResponse: { status: 418 } }),
    ),
  })
  .map(({ match, action }) => ({ ...(match === undefined ? {} : { match }), ...action }));

const virtualServices = istio(
  'VirtualService',
  name,
  fc
    .record({
      hosts: fc.oneof(
        meshHost.map((host) => [host]),
        fc.constantFrom(['*.example.com'], ['x.example.com', 'shop.example.org'], ['shop.example.org']),
      ),
      gateways: fc.option(fc.constantFrom(['a/x'], ['a/x'], ['a/x', 'mesh'], ['mesh'], ['y']), {
        nil: undefined,
        freq: 1,
      }),
      exportTo,
      routes: fc.oneof(
        {
          weight: 5,
          arbitrary: fc.array(httpRoute, { minLength: 1, maxLength: 3 }).map((routes) => ({ http: routes })),
        },
        { weight: 1, arbitrary: destination.map((to) => ({ tcp: [{ route: [{ destination: to }] }] })) },
        {
          weight: 1,
          arbitrary: destination.map((to) => ({
            tls: [{ match: [{ port: 443, sniHosts: ['x.example.com'] }], route: [{ destination: to }] }],
          })),
        },
      ),
    })
    .map(({ hosts, gateways, exportTo: visible, routes }) => ({
      hosts: 'tls' in routes ? ['x.example.com'] : hosts,
      ...(gateways === undefined ? {} : { gateways }),
      ...exported(visible),
      ...routes,
    })),
);

const delegating = fc.record({ to: own, at: namespace, own: meshHost }).map(({ to, at, own: host }) =>
  object('networking.istio.io/v1', 'VirtualService', `${at}/root`, {
    spec: {
      hosts: [host],
      http: [{ match: [{ uri: { prefix: '/d' } }], delegate: { name: `${to}-part`, namespace: 'a' } }],
    },
  }),
);
const delegates = fc.tuple(own, destination).map(([part, to]) =>
  object('networking.istio.io/v1', 'VirtualService', `a/${part}-part`, {
    spec: { http: [{ route: [{ destination: to }] }] },
  }),
);

const trafficPolicy = fc.constantFrom<object[]>(
  { loadBalancer: { simple: 'RANDOM' } },
  { loadBalancer: { consistentHash: { httpHeaderName: 'user' } } },
  { connectionPool: { tcp: { maxConnections: 7 }, http: { http2MaxRequests: 9 } } },
  { outlierDetection: { consecutive5xxErrors: 3 }, loadBalancer: { localityLbSetting: { enabled: true } } },
  { tls: { mode: 'SIMPLE' } },
  { tls: { mode: 'ISTIO_MUTUAL' } },
  { tls: { mode: 'MUTUAL', credentialName: 's' } },
  { tls: { mode: 'DISABLE' }, portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: 'PASSTHROUGH' } }] },
  { portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: 'LEAST_REQUEST' } }] },
);

const destinationRules = istio(
  'DestinationRule',
  name,
  fc
    .record({
      host: fc.oneof(meshHost, fc.constantFrom('*.example.com', '*.svc.cluster.local')),
      subsets: fc.uniqueArray(subset, { maxLength: 2 }),
      trafficPolicy: rarely(trafficPolicy),
      selector: rarely(labels),
      exportTo,
    })
    .map(({ host, subsets, trafficPolicy: policy, selector, exportTo: visible }) => ({
      host,
      subsets: subsets.map((version) => ({ name: version, labels: { version } })),
      ...(policy === undefined ? {} : { trafficPolicy: policy }),
      ...(selector === undefined ? {} : { workloadSelector: { matchLabels: selector } }),
      ...exported(selector === undefined ? visible : undefined),
    })),
);

const gatewayServers = fc.constantFrom<object[]>(
  { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] },
  { port: { number: 80, name: 'http-2', protocol: 'HTTP' }, hosts: ['a/shop.example.org', 'x.example.com'] },
  { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['*.example.com'], tls: { mode: 'PASSTHROUGH' } },
  {
    port: { number: 443, name: 'https', protocol: 'HTTPS' },
    hosts: ['shop.example.org'],
    tls: { mode: 'SIMPLE', serverCertificate: '/etc/certs/cert.pem', privateKey: '/etc/certs/key.pem' },
  },
  ...['s', 'a/s'].map((credentialName) => ({
    port: { number: 443, name: credentialName.replace('/', '-'), protocol: 'HTTPS' },
    hosts: [credentialName === 's' ? 'shop.example.org' : '*'],
    tls: { mode: credentialName === 's' ? 'MUTUAL' : 'SIMPLE', credentialName },
  })),
  { port: { number: 15_443, name: 'auto', protocol: 'TLS' }, hosts: ['*.local'], tls: { mode: 'AUTO_PASSTHROUGH' } },
  { port: { number: 9000, name: 'tcp', protocol: 'TCP' }, hosts: ['*'] },
);

const gateways = istio(
  'Gateway',
  name,
  fc.uniqueArray(gatewayServers, { minLength: 1, maxLength: 2 }).map((servers) => ({
    selector: { app: 'ingress' },
    servers,
  })),
);

const sidecars = istio(
  'Sidecar',
  name,
  fc
    .record({
      hosts: fc.uniqueArray(fc.constantFrom('*/*', './*', 'a/*', '*/x.example.com', 'b/y.b.svc.cluster.local'), {
        minLength: 1,
        maxLength: 2,
      }),
      port: rarely(
        fc.constantFrom({ number: 80, protocol: 'HTTP', name: 'http' }, { number: 9000, protocol: 'TCP', name: 'tcp' }),
      ),
      selector: rarely(labels),
      ingress: rarely(
        fc.constant([{ port: { number: 8080, protocol: 'HTTP', name: 'http' }, defaultEndpoint: '127.0.0.1:8081' }]),
      ),
      policy: rarely(fc.constantFrom('ALLOW_ANY', 'REGISTRY_ONLY')),
    })
    .map(({ hosts, port, selector, ingress, policy }) => ({
      egress: [{ hosts, ...(port === undefined ? {} : { port }) }, ...(port === undefined ? [] : [{ hosts: ['./*'] }])],
      ...(selector === undefined ? {} : { workloadSelector: { labels: selector } }),
      ...(ingress === undefined || selector === undefined ? {} : { ingress }),
      ...(policy === undefined ? {} : { outboundTrafficPolicy: { mode: policy } }),
    })),
);

const meshConfigs = fc
  .constantFrom(
    'outboundTrafficPolicy: { mode: REGISTRY_ONLY }',
    'accessLogFile: /dev/stdout',
    'localityLbSetting: { failover: [{ from: r1, to: r2 }] }',
    'connectTimeout: 3s\ndefaultHttpRetryPolicy: { attempts: 5 }',
    'defaultServiceExportTo: ["."]',
    'protocolDetectionTimeout: 1s',
    'enableAutoMtls: false\ntrustDomainAliases: [old.example]',
    'discoverySelectors: [{ matchLabels: { mesh: "on" } }]',
  )
  .map((mesh) => object('v1', 'ConfigMap', 'istio-system/istio', { data: { mesh } }));

const traffic = [virtualServices, destinationRules];
const rest = [
  ...otherRegistry,
  ...peerPolicies,
  ...tokenPolicies,
  secrets,
  gateways,
  sidecars,
  meshConfigs,
  delegating,
  delegates,
];

/** Any object of the small world. */
export const anyObject: fc.Arbitrary<Manifest> = fc.oneof(
  ...traffic.map((arbitrary) => ({ weight: 4, arbitrary })),
  ...registry.map((arbitrary) => ({ weight: 3, arbitrary })),
  ...rest.map((arbitrary) => ({ weight: 1, arbitrary })),
);

export type Edit =
  | { readonly kind: 'apply'; readonly objects: readonly Manifest[] }
  /** Deletes one of those that are there. */
  | { readonly kind: 'delete'; readonly pick: number };

export const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('apply' as const),
      objects: fc.array(anyObject, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick: fc.nat({ max: 1000 }) }) },
);

/** As many runs as usual, or as the environment asks for. */
export function runs(usual: number): { readonly numRuns: number } {
  return { numRuns: fc.readConfigureGlobal().numRuns ?? usual };
}
