import fc from 'fast-check';
import { type Manifest, object } from '../../feature/pilot/support/manifests.ts';
import { address, exported, exportTo, istio, labels, made, name, namespace, own, rarely } from './random-words.ts';

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

/** Another name of a service, or of something outside. */
const externalNames = made(
  'v1 Service',
  name,
  fc.constantFrom('x.a.svc.cluster.local', 'y.b.svc.cluster.local', 'x.example.com', 'example.org').map((to) => ({
    spec: { type: 'ExternalName', externalName: to, ports: [{ name: 'http', port: 80 }] },
  })),
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
  fc
    .record({
      ip: address,
      ready: fc.boolean(),
      hostNetwork: rarely(fc.constant(true)),
      account: fc.constantFrom('default', 'other'),
    })
    .map(({ ip, ready, hostNetwork, account }) => ({
      spec: {
        ...(hostNetwork === true ? { hostNetwork } : {}),
        nodeName: 'n1',
        serviceAccountName: account,
        containers: [{ name: 'app', ports: [{ name: 'web', containerPort: 8080 }] }],
      },
      status: {
        phase: 'Running',
        podIP: ip,
        podIPs: [{ ip }],
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    })),
  fc.record({
    labels: fc
      .tuple(labels, fc.constantFrom({}, { 'security.istio.io/tlsMode': 'istio' }))
      .map(([own, proxy]) => ({ ...own, ...proxy })),
    annotations: fc.constantFrom({}, {}, { 'traffic.sidecar.istio.io/excludeInboundPorts': '9000' }),
  }),
);

const nodes = fc.constantFrom('z1', 'z2').map(
  (zone): Manifest => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { 'topology.kubernetes.io/region': 'r1', 'topology.kubernetes.io/zone': zone } },
  }),
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

const namespaces = fc
  .record({
    at: namespace,
    labels: fc.constantFrom({}, { mesh: 'on' }, { 'topology.istio.io/network': 'west' }),
    annotations: fc.constantFrom({}, { 'networking.istio.io/traffic-distribution': 'PreferClose' }),
  })
  .map(({ at, ...meta }): Manifest => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: at, ...meta } }));

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
  object('networking.istio.io/v1', 'Gateway', 'a/x', {
    spec: {
      selector: { app: 'ingress' },
      servers: [
        { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] },
        { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['*.example.com'], tls: { mode: 'PASSTHROUGH' } },
      ],
    },
  }),
];

/** What says who is there and where. */
export const registry: readonly fc.Arbitrary<Manifest>[] = [services, slices, pods];
export const otherRegistry: readonly fc.Arbitrary<Manifest>[] = [
  externalNames,
  serviceEntries,
  workloadEntries,
  nodes,
  namespaces,
];
