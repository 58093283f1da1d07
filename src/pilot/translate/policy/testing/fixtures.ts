import type { HttpRoute, Subset, TcpRoute, TlsRoute, TrafficPolicy } from '../../../../apis/networking/networking.ts';
import { serviceKey } from '../../../../model/ids.ts';
import type { MeshDestinationRule, MeshVirtualService, Traced } from '../../../../model/mesh-snapshot.ts';
import type { ObjectRef } from '../../../../model/object.ts';
import type { Endpoint, Protocol, Service, ServicePort } from '../../../../model/service.ts';
import { virtualService as virtualServiceObject } from '../../../../testing/builders.ts';
import { meshConfig } from '../../../../testing/config.ts';
import { deepFreeze } from '../../../../testing/freeze.ts';
import type { ClusterDefaults } from '../../cluster/defaults.ts';
import { mutualTlsSettings } from '../../peer/settings.ts';
import type { ServiceAtPort } from '../../plan.ts';

// The model's records as translation gets them, with defaults that make each useful.

export const DOMAIN = 'svc.cluster.local';

/** What clusters read of a mesh that says nothing. */
export const defaults: ClusterDefaults = {
  connectTimeoutMs: 10_000,
  tcpKeepalive: undefined,
  dnsRefreshMs: 60_000,
  upgradeHttp: false,
  localityLb: undefined,
  verifyServers: true,
  autoMutualTls: true,
  mutualTls: mutualTlsSettings(meshConfig()),
  outboundStatName: '',
  inboundStatName: '',
  inboundToLoopback: false,
};

/** A client without certificates. */
export const noPeers = {
  identityFolder: '',
  accounts: '',
  allTakeMutualTls: false,
  isStrict: false,
  isPlain: false,
  credentials: undefined,
};

export function port(number: number, protocol: Protocol = 'HTTP'): ServicePort {
  const object = { kind: 'Service', namespace: 'default', name: 'any' };
  return { name: protocol.toLowerCase(), port: number, protocol, object, index: 0 };
}

/** `reviews` in `default`, or `shop/reviews`; a name with a dot is an external host of namespace `default`. */
export function service(name: string, options: Partial<Service> = {}): Service {
  const [namespace, own] = split(name);
  const external = own.includes('.');
  const hostname = external ? own : `${own}.${namespace}.${DOMAIN}`;
  const kind = external ? 'ServiceEntry' : 'Service';
  const origin = { kind, namespace, name: own };
  const { ports = [port(80)] } = options;
  return deepFreeze({
    key: serviceKey(namespace, hostname),
    hostname,
    aliases: [],
    namespace,
    name: own,
    registry: external ? 'External' : 'Kubernetes',
    addresses: [],
    autoAddresses: [],
    resolution: { kind: 'endpoints' },
    headless: false,
    meshExternal: external,
    visibility: { kind: 'public' },
    labels: {},
    subjectAltNames: [],
    trafficDistribution: 'any',
    createdAt: 0,
    origin,
    ...options,
    ports: ports.map((one, index) => ({ ...one, object: origin, index })),
  });
}

/** The first port of a service, or the one with that number. */
export function at(of: Service, number?: number, applied?: MeshDestinationRule): ServiceAtPort {
  const found = number === undefined ? of.ports[0] : of.ports.find((candidate) => candidate.port === number);
  if (found === undefined) throw new Error(`${of.hostname} has no port ${number}`);
  return { service: of, port: found, rule: applied };
}

export function endpoint(address: string, options: Partial<Endpoint> = {}): Endpoint {
  return deepFreeze({
    address,
    port: 8080,
    labels: {},
    serviceAccount: 'default',
    network: '',
    locality: undefined,
    weight: 1,
    health: 'healthy',
    tlsMode: 'disabled',
    namespace: 'default',
    workload: '',
    node: undefined,
    hostname: undefined,
    entry: undefined,
    ...options,
  });
}

type RuleOptions = {
  readonly host?: string;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets?: readonly Subset[];
};

/** A DestinationRule named `rule`, as the snapshot merges it. */
export function rule({
  host = `reviews.default.${DOMAIN}`,
  trafficPolicy,
  subsets = [],
}: RuleOptions): MeshDestinationRule {
  const object: ObjectRef = { kind: 'DestinationRule', namespace: 'default', name: 'rule' };
  return deepFreeze({
    host,
    namespace: 'default',
    trafficPolicy:
      trafficPolicy === undefined ? undefined : { spec: trafficPolicy, object, path: 'spec.trafficPolicy' },
    subsets: subsets.map((spec, index) => ({ spec, object, path: `spec.subsets[${index}]` })),
    workloadSelector: undefined,
    visibility: { kind: 'public' },
    origins: [object],
  });
}

type VirtualServiceOptions = {
  readonly hosts: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly HttpRoute[];
  readonly tls?: readonly TlsRoute[];
  readonly tcp?: readonly TcpRoute[];
};

/** As the snapshot completes it. */
export function virtualService(name: string, options: VirtualServiceOptions): MeshVirtualService {
  const object = virtualServiceObject(name, { hosts: options.hosts });
  const ref: ObjectRef = { kind: 'VirtualService', namespace: object.meta.namespace, name: object.meta.name };
  const trace = <T>(specs: readonly T[] | undefined, list: string): readonly Traced<T>[] =>
    (specs ?? []).map((spec, index) => ({ spec, object: ref, path: `spec.${list}[${index}]` }));
  return deepFreeze({
    object,
    hosts: options.hosts,
    gateways: options.gateways ?? ['mesh'],
    http: trace(options.http, 'http'),
    tls: trace(options.tls, 'tls'),
    tcp: trace(options.tcp, 'tcp'),
    visibility: { kind: 'public' },
  });
}

function split(name: string): readonly [namespace: string, name: string] {
  const slash = name.indexOf('/');
  return slash < 0 ? ['default', name] : [name.slice(0, slash), name.slice(slash + 1)];
}
