import fc from 'fast-check';
import type { Kind } from '../../src/apis/collections.ts';
import { objectKey } from '../../src/model/ids.ts';
import type { ConfigObject } from '../../src/model/object.ts';
import {
  clusterObject,
  destinationRule,
  endpointSlice,
  gateway,
  type Meta,
  node,
  object,
  pod,
  routeTo,
  service,
  serviceEntry,
  sidecar,
  targetPod,
  virtualService,
  workloadEntry,
} from '../../src/testing/builders.ts';
import { type ConfigEdit, type Deleted, meshConfig } from '../../src/testing/config.ts';

// A small world in which everything meets everything: few names, few addresses, few labels.

const namespaces = ['a', 'b', 'istio-system'];
const place = fc.constantFrom(...namespaces);
const name = fc.tuple(place, fc.constantFrom('x', 'y')).map(([where, what]) => `${where}/${what}`);
const labels = fc.constantFrom({ app: 'x' }, { app: 'y' }, { app: 'x', v: '1' });
const address = fc.constantFrom('10.1.0.1', '10.1.0.2', '10.1.0.3');
const exported = fc.constantFrom<(readonly string[] | undefined)[]>(undefined, ['*'], ['.'], ['a'], ['~'], ['b', '.']);
const host = fc.constantFrom(
  'x',
  'x.a.svc.cluster.local',
  'y.b.svc.cluster.local',
  'x.example.com',
  '*.example.com',
  '*.svc.cluster.local',
);
const entryHost = fc.constantFrom('x.example.com', 'y.example.com', 'x.a.svc.cluster.local', '*.example.com');

function meta(more: fc.Arbitrary<Meta> = fc.constant({})): fc.Arbitrary<Meta> {
  return fc.tuple(fc.constantFrom(1, 2, 3), more).map(([createdAt, rest]) => ({ createdAt, ...rest }));
}

function exportTo(list: readonly string[] | undefined): { readonly exportTo?: readonly string[] } {
  return list === undefined ? {} : { exportTo: list };
}

const annotated = exported.map(
  (list): Meta => (list === undefined ? {} : { annotations: { 'networking.istio.io/exportTo': list.join(',') } }),
);

const ports = fc.constantFrom(
  [80],
  [{ name: 'http', port: 80, targetPort: 8080 }],
  [{ name: 'http', port: 80, targetPort: 'web' }, 90],
  [{ name: 'grpc', port: 80, targetPort: 8080 }],
);

const services = fc
  .record({
    name,
    ports,
    selector: fc.oneof(labels, fc.constant({})),
    kind: fc.constantFrom('vip', 'none', 'pending', 'external'),
    meta: meta(annotated),
  })
  .map(({ name: at, kind, meta: about, ...spec }) => {
    const clusterIPs = { vip: ['10.96.0.1'], none: ['None'], pending: [], external: [] }[kind];
    const external = kind === 'external' ? { type: 'ExternalName', externalName: 'example.org' } : {};
    return service(at, { ...spec, clusterIPs, ...external }, about);
  });

const pods = fc
  .record({
    name,
    ip: address,
    labels,
    ready: fc.boolean(),
    web: fc.constantFrom({}, { web: 8080 }),
    phase: fc.constantFrom('Running', 'Failed'),
    nodeName: fc.constantFrom('', 'n1'),
    meta: meta(fc.constantFrom<Meta[]>({}, { deletedAt: 9 })),
  })
  .map(({ name: at, web, meta: about, ...options }) => pod(at, { ...options, ports: web }, about));

const slices = fc
  .record({
    name,
    serviceName: fc.constantFrom('x', 'y'),
    addresses: fc.uniqueArray(address, { maxLength: 2 }),
    target: fc.option(name),
    ready: fc.boolean(),
    meta: meta(),
  })
  .map(({ name: at, serviceName, addresses, target, ready, meta: about }) => {
    const refer = target === null ? {} : { targetRef: targetPod(target) };
    const endpoints = addresses.map((one) => ({ address: one, ready, terminating: !ready, nodeName: 'n1', ...refer }));
    return endpointSlice(at, { service: serviceName, endpoints, ports: { http: 8080, '': 90 } }, about);
  });

const legacy = fc.record({ name, ip: address, meta: meta() }).map(({ name: at, ip, meta: about }) => {
  const addresses = [{ ip, hostname: undefined, nodeName: undefined, targetRef: undefined }];
  const subset = {
    addresses,
    notReadyAddresses: [],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: undefined }],
  };
  return object('Endpoints', at, { subsets: [subset] }, about);
});

const entries = fc
  .record({
    name,
    hosts: fc.uniqueArray(entryHost, { minLength: 1, maxLength: 2 }),
    resolution: fc.constantFrom('STATIC', 'DNS', 'NONE'),
    location: fc.constantFrom('MESH_INTERNAL', 'MESH_EXTERNAL'),
    protocol: fc.constantFrom('HTTP', 'TCP'),
    members: fc.oneof(labels, address, fc.constant(undefined)),
    exported,
    meta: meta(),
  })
  .map(({ name: at, hosts, resolution, location, protocol, members, exported: list, meta: about }) => {
    const chosen = typeof members === 'object' ? { workloadSelector: { labels: members } } : {};
    const listed = typeof members === 'string' ? { endpoints: [{ address: members }] } : {};
    const spec = {
      hosts,
      resolution,
      location,
      ports: [{ number: 80, name: 'http', protocol }],
      ...chosen,
      ...listed,
      ...exportTo(list),
    };
    return serviceEntry(at, spec, about);
  });

const workloadEntries = fc
  .record({ name, address, labels, meta: meta() })
  .map(({ name: at, meta: about, ...spec }) => workloadEntry(at, spec, about));

const virtualServices = fc
  .record({
    name,
    hosts: fc.option(host),
    gateways: fc.constantFrom([], ['mesh'], ['a/x'], ['y', 'mesh']),
    to: host,
    delegateTo: fc.option(fc.constantFrom('x', 'y')),
    exported,
    meta: meta(),
  })
  .map(({ name: at, hosts, gateways, to, delegateTo, exported: list, meta: about }) => {
    const delegating =
      delegateTo === null
        ? []
        : [{ match: [{ uri: { prefix: '/d' } }], delegate: { name: delegateTo, namespace: 'a' } }];
    const http = [...delegating, routeTo(to, {}, hosts === null ? { match: [{ uri: { prefix: '/d/e' } }] } : {})];
    const { hosts: _, ...spec } = virtualService(at).spec;
    return object(
      'VirtualService',
      at,
      { ...spec, http, gateways, ...(hosts === null ? {} : { hosts: [hosts] }), ...exportTo(list) },
      about,
    );
  });

const destinationRules = fc
  .record({
    name,
    host,
    subset: fc.constantFrom('v1', 'v2'),
    policy: fc.boolean(),
    selector: fc.option(labels),
    exported,
    meta: meta(),
  })
  .map(({ name: at, host: of, subset, policy, selector, exported: list, meta: about }) => {
    const trafficPolicy = policy ? { trafficPolicy: { tls: { mode: 'DISABLE' as const } } } : {};
    const workloadSelector = selector === null ? {} : { workloadSelector: { matchLabels: selector } };
    return destinationRule(
      at,
      { host: of, subsets: [{ name: subset }], ...trafficPolicy, ...workloadSelector, ...exportTo(list) },
      about,
    );
  });

const egressHosts = fc.uniqueArray(
  fc.constantFrom('*/*', './*', 'a/*', '~/*', '*/x.example.com', 'b/*.svc.cluster.local'),
  { minLength: 1, maxLength: 2 },
);
const sidecars = fc
  .record({
    name,
    hosts: egressHosts,
    port: fc.option(fc.constant({ number: 80, protocol: 'HTTP', name: 'http' })),
    selector: fc.option(labels),
    meta: meta(),
  })
  .map(({ name: at, hosts, port, selector, meta: about }) => {
    const listener = { hosts, ...(port === null ? {} : { port }) };
    return sidecar(
      at,
      { egress: [listener], ...(selector === null ? {} : { workloadSelector: { labels: selector } }) },
      about,
    );
  });

const gateways = fc
  .record({ name, selector: labels, meta: meta() })
  .map(({ name: at, selector, meta: about }) => gateway(at, { selector }, about));

const homes = fc
  .record({
    name: place,
    labels: fc.constantFrom({}, { mesh: 'on' }, { 'topology.istio.io/network': 'n' }),
    distribution: fc.constantFrom({}, { 'networking.istio.io/traffic-distribution': 'PreferClose' }),
  })
  .map(({ name: at, labels: own, distribution }) =>
    clusterObject('Namespace', at, { phase: 'Active' }, { labels: own, annotations: distribution }),
  );

const nodes = fc
  .constantFrom({}, { 'topology.kubernetes.io/region': 'r' }, { 'topology.kubernetes.io/zone': 'z' })
  .map((own) => node('n1', own));

const known = new Map<string, ConfigObject>();

/** Admission gives equal content the same object. */
function admit(fresh: ConfigObject): ConfigObject {
  const text = JSON.stringify(fresh);
  const before = known.get(text);
  if (before !== undefined) return before;
  known.set(text, fresh);
  return fresh;
}

const upserts = fc
  .oneof(
    services,
    pods,
    slices,
    legacy,
    entries,
    workloadEntries,
    virtualServices,
    destinationRules,
    sidecars,
    gateways,
    homes,
    nodes,
  )
  .map(admit);

const kinds: readonly Kind[] = [
  'Service',
  'Pod',
  'EndpointSlice',
  'Endpoints',
  'ServiceEntry',
  'WorkloadEntry',
  'VirtualService',
  'DestinationRule',
  'Sidecar',
  'Gateway',
];
const deletes = fc.tuple(fc.constantFrom(...kinds), name).map(([kind, at]): Deleted => {
  const [where = '', what = ''] = at.split('/');
  return { kind, key: objectKey(kind, where, what) };
});

const meshes = fc.constantFrom(
  meshConfig(),
  meshConfig({ defaultServiceExportTo: ['.'] }),
  meshConfig({ defaultVirtualServiceExportTo: ['.'], defaultDestinationRuleExportTo: ['a'] }),
  meshConfig({ discoverySelectors: [{ matchLabels: { mesh: 'on' } }] }),
  meshConfig({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' }, rootNamespace: 'a' }),
);
const networks = fc.constantFrom({}, { networks: { block: { endpoints: [{ fromCidr: '10.1.0.0/31' }] } } });

/** One step in the life of a configuration; several objects may move at once. */
export const edits: fc.Arbitrary<ConfigEdit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ upserts: fc.array(upserts, { minLength: 1, maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ deletes: fc.array(deletes, { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ mesh: meshes }) },
  { weight: 1, arbitrary: fc.record({ networks }) },
);

/** Where a life begins. */
export const beginnings: fc.Arbitrary<readonly ConfigObject[]> = fc.array(upserts, { minLength: 5, maxLength: 30 });

/** Who may look at it. */
export const clients = namespaces.flatMap((where) => [
  { namespace: where, labels: { app: 'x' } },
  { namespace: where, labels: { app: 'y' } },
]);
