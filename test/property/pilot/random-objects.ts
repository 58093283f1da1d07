import fc from 'fast-check';
import { type Manifest, object } from '../../feature/pilot/support/manifests.ts';

// A small world in which everything meets everything: few names, few addresses, few labels. All objects are good ones.

const namespace = fc.constantFrom('a', 'b');
const own = fc.constantFrom('x', 'y');
const name = fc.tuple(namespace, own).map((parts) => parts.join('/'));
const labels = fc.constantFrom({ app: 'x', version: 'v1' }, { app: 'x', version: 'v2' }, { app: 'y', version: 'v1' });
const address = fc.constantFrom('10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4');
const meshHost = fc.constantFrom('x', 'y', 'x.a.svc.cluster.local', 'y.b.svc.cluster.local', 'x.example.com');
const subset = fc.constantFrom('v1', 'v2');
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 });
const exportTo = rarely(fc.constantFrom(['.'], ['*'], ['a'], ['b']));

function exported(namespaces: readonly string[] | undefined): Manifest {
  return namespaces === undefined ? {} : { exportTo: namespaces };
}

/** An object of a type such as `v1 Service`, made at one of a few moments, so that age decides here and names there. */
function made(
  type: string,
  at: fc.Arbitrary<string>,
  rest: fc.Arbitrary<Manifest>,
  meta: fc.Arbitrary<Manifest> = fc.constant({}),
): fc.Arbitrary<Manifest> {
  return fc.tuple(at, rest, meta, fc.constantFrom(1, 2, 3)).map(([where, content, more, second]) => {
    const [apiVersion = '', kind = ''] = type.split(' ');
    const manifest = object(apiVersion, kind, where, content);
    const creationTimestamp = `2024-01-01T00:00:0${second}Z`;
    return { ...manifest, metadata: { ...(manifest['metadata'] as Manifest), creationTimestamp, ...more } };
  });
}

function istio(kind: string, at: fc.Arbitrary<string>, spec: fc.Arbitrary<Manifest>): fc.Arbitrary<Manifest> {
  return made(
    `networking.istio.io/v1 ${kind}`,
    at,
    spec.map((content) => ({ spec: content })),
  );
}

const http = { name: 'http', port: 80, targetPort: 8080 };
const servicePorts = fc.constantFrom<(readonly object[])[]>(
  [http],
  [http, { name: 'tcp', port: 9000 }],
  [{ port: 80, targetPort: 8080 }],
  [
    { name: 'grpc', port: 80, targetPort: 8080 },
    { name: 'tls', port: 443 },
  ],
  [{ name: 'http', port: 8081, targetPort: 'web' }],
);

const services = made(
  'v1 Service',
  name,
  fc
    .record({ ports: servicePorts, app: own, ip: fc.constantFrom('10.96.0.1', '10.96.0.2', 'None') })
    .map(({ ports, app, ip }) => ({
      spec: { ports, selector: { app }, clusterIP: ip },
    })),
  fc.record({
    annotations: fc.constantFrom(
      {},
      {},
      { 'networking.istio.io/exportTo': '.' },
      { 'networking.istio.io/traffic-distribution': 'PreferClose' },
    ),
  }),
);

const slices = fc
  .record({
    at: name,
    endpoints: fc.uniqueArray(fc.record({ address, ready: fc.boolean(), zone: fc.constantFrom('z1', 'z2') }), {
      selector: (endpoint) => endpoint.address,
      maxLength: 3,
    }),
  })
  .map(({ at, endpoints }): Manifest => {
    const [where = '', what = ''] = at.split('/');
    const ports = ['http', 'grpc', ''].map((portName) => ({ name: portName, port: 8080, protocol: 'TCP' }));
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace: where, name: what, labels: { 'kubernetes.io/service-name': what } },
      addressType: 'IPv4',
      ports: [...ports, { name: 'tcp', port: 9000, protocol: 'TCP' }],
      endpoints: endpoints.map(({ address: ip, ready, zone }) => ({ addresses: [ip], zone, conditions: { ready } })),
    };
  });

const pods = made(
  'v1 Pod',
  name,
  fc.record({ ip: address, ready: fc.boolean() }).map(({ ip, ready }) => ({
    spec: {
      nodeName: 'n1',
      serviceAccountName: 'default',
      containers: [{ name: 'app', ports: [{ name: 'web', containerPort: 8080 }] }],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  })),
  fc.record({ labels }),
);

const nodes = fc.constantFrom('z1', 'z2').map(
  (zone): Manifest => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { 'topology.kubernetes.io/region': 'r1', 'topology.kubernetes.io/zone': zone } },
  }),
);

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
      gateways: rarely(fc.constantFrom(['mesh'], ['a/x'], ['a/x', 'mesh'], ['y'])),
      exportTo,
      routes: fc.oneof(
        {
          weight: 5,
          arbitrary: fc.array(httpRoute, { minLength: 1, maxLength: 3 }).map((routes) => ({ http: routes })),
        },
        { weight: 1, arbitrary: destination.map((to) => ({ tcp: [{ route: [{ destination: to }] }] })) },
      ),
    })
    .map(({ hosts, gateways, exportTo: visible, routes }) => ({
      hosts,
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

const serviceEntries = istio(
  'ServiceEntry',
  name,
  fc
    .record({
      host: fc.constantFrom('x.example.com', 'y.example.com', '*.example.com'),
      kind: fc.constantFrom('DNS', 'STATIC', 'NONE', 'workloads'),
      protocol: fc.constantFrom('HTTP', 'TCP', 'TLS'),
      port: fc.constantFrom(80, 443),
      address,
      exportTo,
    })
    .map(({ host, kind, protocol, port, address: ip, exportTo: visible }) => {
      const isWild = host.startsWith('*');
      const resolution = kind === 'workloads' ? 'STATIC' : kind;
      return {
        hosts: [host],
        ports: [{ number: port, name: 'main', protocol }],
        resolution: isWild ? 'NONE' : resolution,
        ...(kind === 'workloads' && !isWild
          ? { workloadSelector: { labels: { app: 'x' } }, location: 'MESH_INTERNAL' }
          : {}),
        ...(kind === 'STATIC' && !isWild ? { endpoints: [{ address: ip, locality: 'r1/z1' }] } : {}),
        ...exported(visible),
      };
    }),
);

const workloadEntries = istio('WorkloadEntry', name, fc.record({ address, labels, weight: fc.constantFrom(1, 5) }));

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
  )
  .map((mesh) => object('v1', 'ConfigMap', 'istio-system/istio', { data: { mesh } }));

const traffic = [virtualServices, destinationRules];
const registry = [services, slices, pods];
const rest = [gateways, serviceEntries, workloadEntries, sidecars, nodes, meshConfigs, delegating, delegates];

/** Any object of the small world. */
export const anyObject: fc.Arbitrary<Manifest> = fc.oneof(
  ...traffic.map((arbitrary) => ({ weight: 4, arbitrary })),
  ...registry.map((arbitrary) => ({ weight: 3, arbitrary })),
  ...rest.map((arbitrary) => ({ weight: 1, arbitrary })),
);

/** What the world has to begin with, so that proxies have somebody to be and somebody to talk to. */
export const beginning: readonly Manifest[] = [
  object('v1', 'Service', 'a/x', { spec: { ports: [http], selector: { app: 'x' }, clusterIP: '10.96.0.1' } }),
  object('v1', 'Service', 'b/y', { spec: { ports: [http], selector: { app: 'y' }, clusterIP: '10.96.0.2' } }),
  object('v1', 'Service', 'istio-system/ingress', {
    spec: {
      ports: [
        { name: 'http2', port: 80, targetPort: 8080 },
        { name: 'tls', port: 443, targetPort: 8443 },
        { name: 'tcp', port: 9000 },
      ],
      selector: { app: 'ingress' },
    },
  }),
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'istio-system', name: 'ingress', labels: { app: 'ingress' } },
    spec: { containers: [{ name: 'proxy' }] },
    status: {
      phase: 'Running',
      podIP: '10.1.9.1',
      podIPs: [{ ip: '10.1.9.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  },
];

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
