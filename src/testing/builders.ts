import type { Kind, SpecByKind } from '../apis/collections.ts';
import type { Container } from '../apis/kubernetes/pod.ts';
import type { ServiceSpecPort } from '../apis/kubernetes/service.ts';
import { objectKey } from '../model/ids.ts';
import type { ConfigObject, ObjectMeta } from '../model/object.ts';
import { deepFreeze } from './freeze.ts';

// One call per object. A name is `reviews` (in namespace `default`) or `shop/reviews`; everything else has a default that
// makes the object useful, and may be given. Objects are frozen to the bottom.

export type Meta = Partial<Omit<ObjectMeta, 'namespace' | 'name'>>;

/** When an object was made that does not say so. */
export const CREATED_AT = 1_700_000_000_000;

/** An object of any kind with a finished spec. */
export function object<K extends Kind>(kind: K, name: string, spec: SpecByKind[K], meta: Meta = {}): ConfigObject<K> {
  const [namespace, ownName] = splitName(name);
  return build(kind, { ...meta, namespace, name: ownName }, spec);
}

/** An object of a kind that has no namespace. */
export function clusterObject<K extends Kind>(
  kind: K,
  name: string,
  spec: SpecByKind[K],
  meta: Meta = {},
): ConfigObject<K> {
  return build(kind, { ...meta, namespace: '', name }, spec);
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): ConfigObject<'Namespace'> {
  return clusterObject('Namespace', name, { phase: 'Active' }, { labels });
}

export function virtualService(
  name: string,
  spec: Partial<SpecByKind['VirtualService']> = {},
  meta?: Meta,
): ConfigObject<'VirtualService'> {
  const [, host] = splitName(name);
  return object('VirtualService', name, { hosts: [host], http: [routeTo(host)], ...spec }, meta);
}

/** A VirtualService without hosts, for others to delegate to. */
export function delegate(
  name: string,
  spec: Omit<SpecByKind['VirtualService'], 'hosts'>,
  meta?: Meta,
): ConfigObject<'VirtualService'> {
  return object('VirtualService', name, spec, meta);
}

type HttpRoute = NonNullable<SpecByKind['VirtualService']['http']>[number];

/** An HTTP route to one destination: `routeTo('reviews', { subset: 'v2' }, { timeout: '1s' })`. */
export function routeTo(
  host: string,
  destination: { readonly subset?: string; readonly port?: number } = {},
  rest: Partial<HttpRoute> = {},
): HttpRoute {
  const { subset, port } = destination;
  return {
    route: [
      {
        destination: {
          host,
          ...(subset === undefined ? {} : { subset }),
          ...(port === undefined ? {} : { port: { number: port } }),
        },
      },
    ],
    ...rest,
  };
}

export function destinationRule(
  name: string,
  spec: Partial<SpecByKind['DestinationRule']> = {},
  meta?: Meta,
): ConfigObject<'DestinationRule'> {
  const [, host] = splitName(name);
  return object('DestinationRule', name, { host, ...spec }, meta);
}

/** A Gateway of the pods labelled `istio: ingressgateway`, with an HTTP server on port 80 for every host. */
export function gateway(name: string, spec: Partial<SpecByKind['Gateway']> = {}, meta?: Meta): ConfigObject<'Gateway'> {
  const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }];
  return object('Gateway', name, { selector: { istio: 'ingressgateway' }, servers, ...spec }, meta);
}

export function sidecar(name: string, spec: SpecByKind['Sidecar'] = {}, meta?: Meta): ConfigObject<'Sidecar'> {
  return object('Sidecar', name, spec, meta);
}

/** A ServiceEntry of the host `<name>.example.com`, port 443, resolved by DNS. */
export function serviceEntry(
  name: string,
  spec: Partial<SpecByKind['ServiceEntry']> = {},
  meta?: Meta,
): ConfigObject<'ServiceEntry'> {
  const [, ownName] = splitName(name);
  const ports = [{ number: 443, name: 'https', protocol: 'HTTPS' }];
  return object('ServiceEntry', name, { hosts: [`${ownName}.example.com`], ports, resolution: 'DNS', ...spec }, meta);
}

/** A WorkloadEntry labelled `app: <name>` at 10.99.0.1. */
export function workloadEntry(
  name: string,
  spec: SpecByKind['WorkloadEntry'] = {},
  meta?: Meta,
): ConfigObject<'WorkloadEntry'> {
  const [, ownName] = splitName(name);
  return object('WorkloadEntry', name, { address: '10.99.0.1', labels: { app: ownName }, ...spec }, meta);
}

export type PortOptions = Partial<ServiceSpecPort> & { readonly port: number };
export type ServiceOptions = Partial<Omit<SpecByKind['Service'], 'ports'>> & {
  readonly ports?: readonly (number | PortOptions)[];
};

/** A ClusterIP Service of the pods labelled `app: <name>`, with port 80 named `http`. Its address follows from its name. */
export function service(name: string, options: ServiceOptions = {}, meta?: Meta): ConfigObject<'Service'> {
  const { ports = [{ name: 'http', port: 80 }], ...rest } = options;
  const [namespace, ownName] = splitName(name);
  const spec: SpecByKind['Service'] = {
    type: 'ClusterIP',
    clusterIPs: [serviceAddress(`${namespace}/${ownName}`)],
    selector: { app: ownName },
    externalName: undefined,
    externalIPs: [],
    loadBalancerIngress: [],
    publishNotReadyAddresses: false,
    trafficDistribution: undefined,
    internalTrafficPolicy: undefined,
    sessionAffinity: undefined,
    ...rest,
    ports: ports.map(servicePort),
  };
  return object('Service', name, spec, meta);
}

function servicePort(port: number | PortOptions): ServiceSpecPort {
  const given = typeof port === 'number' ? { port } : port;
  return { name: '', targetPort: given.port, protocol: 'TCP', appProtocol: undefined, nodePort: undefined, ...given };
}

export type PodOptions = Partial<SpecByKind['Pod']> & {
  readonly ip?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Container ports, by name. */
  readonly ports?: Readonly<Record<string, number>>;
};

/** A running and ready pod at 10.1.0.1, labelled `app: <name>`, of service account `default`. */
export function pod(name: string, options: PodOptions = {}, meta: Meta = {}): ConfigObject<'Pod'> {
  const [, ownName] = splitName(name);
  const { ip = '10.1.0.1', labels = { app: ownName }, annotations = {}, ports = {}, ...rest } = options;
  const spec: SpecByKind['Pod'] = {
    serviceAccountName: 'default',
    nodeName: '',
    hostNetwork: false,
    hostname: undefined,
    subdomain: undefined,
    containers: [container('app', ports)],
    initContainers: [],
    phase: 'Running',
    podIPs: [ip],
    ready: true,
    owner: undefined,
    ...rest,
  };
  return object('Pod', name, spec, { labels, annotations, ...meta });
}

function container(name: string, ports: Readonly<Record<string, number>>): Container {
  return {
    name,
    image: name,
    command: [],
    args: [],
    env: [],
    ports: Object.entries(ports).map(([portName, containerPort]) => ({
      name: portName,
      containerPort,
      hostPort: undefined,
      protocol: 'TCP',
    })),
    livenessProbe: undefined,
    readinessProbe: undefined,
    startupProbe: undefined,
    restartPolicy: undefined,
  };
}

type SliceSpec = SpecByKind['EndpointSlice'];
export type SliceEndpointOptions = Partial<SliceSpec['endpoints'][number]> & { readonly address: string };
export type EndpointSliceOptions = Partial<Omit<SliceSpec, 'endpoints' | 'ports' | 'serviceName'>> & {
  /** In the slice's namespace; by default the slice's own name. */
  readonly service?: string;
  readonly endpoints?: readonly (string | SliceEndpointOptions)[];
  /** Port numbers by the name of the Service's port; by default `http` 80. */
  readonly ports?: Readonly<Record<string, number>>;
};

/** An IPv4 slice of ready endpoints, each an address or a record with `address`. */
export function endpointSlice(
  name: string,
  options: EndpointSliceOptions = {},
  meta?: Meta,
): ConfigObject<'EndpointSlice'> {
  const [, ownName] = splitName(name);
  const {
    service: serviceName = ownName,
    endpoints = ['10.1.0.1'],
    ports = { http: 80 },
    addressType = 'IPv4',
  } = options;
  const spec: SliceSpec = {
    serviceName,
    addressType,
    endpoints: endpoints.map(sliceEndpoint),
    ports: Object.entries(ports).map(([portName, port]) => ({
      name: portName,
      port,
      protocol: 'TCP',
      appProtocol: undefined,
    })),
  };
  return object('EndpointSlice', name, spec, meta);
}

function sliceEndpoint(endpoint: string | SliceEndpointOptions): SliceSpec['endpoints'][number] {
  const { address, ...rest } = typeof endpoint === 'string' ? { address: endpoint } : endpoint;
  return {
    addresses: [address],
    hostname: undefined,
    nodeName: undefined,
    zone: undefined,
    targetRef: undefined,
    ready: true,
    serving: true,
    terminating: false,
    ...rest,
  };
}

/** What an EndpointSlice says of the pod an address belongs to. */
export function targetPod(name: string): NonNullable<SliceSpec['endpoints'][number]['targetRef']> {
  const [namespace, ownName] = splitName(name);
  return { kind: 'Pod', namespace, name: ownName };
}

export function node(name: string, labels: Readonly<Record<string, string>> = {}): ConfigObject<'Node'> {
  return clusterObject('Node', name, { addresses: [], podCIDR: undefined, podCIDRs: [] }, { labels });
}

/** 10.96.0.0/16 without its first and last 256, by the name. */
function serviceAddress(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_003;
  return `10.96.${1 + (hash >> 8)}.${hash & 255}`;
}

type NamedMeta = Meta & Pick<ObjectMeta, 'namespace' | 'name'>;

function build<K extends Kind>(kind: K, meta: NamedMeta, spec: SpecByKind[K]): ConfigObject<K> {
  return deepFreeze({
    kind,
    key: objectKey(kind, meta.namespace, meta.name),
    meta: {
      labels: {},
      annotations: {},
      uid: undefined,
      resourceVersion: undefined,
      generation: undefined,
      createdAt: CREATED_AT,
      deletedAt: undefined,
      ...meta,
    },
    spec,
  });
}

function splitName(name: string): readonly [namespace: string, name: string] {
  const slash = name.indexOf('/');
  return slash < 0 ? ['default', name] : [name.slice(0, slash), name.slice(slash + 1)];
}
