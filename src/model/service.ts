import type { ServiceKey } from './ids.ts';
import type { ObjectRef } from './object.ts';

/** A port's protocol. `auto` means nobody said: Envoy sniffs it. */
export type Protocol =
  | 'HTTP'
  | 'HTTP2'
  | 'GRPC'
  | 'GRPC-Web'
  | 'HTTPS'
  | 'TLS'
  | 'TCP'
  | 'Mongo'
  | 'Redis'
  | 'MySQL'
  | 'UDP'
  | 'auto';

/**
 * How a client finds a service's endpoints: `endpoints` sent by EDS; `dns` resolved by Envoy (`logical`: one address at a
 * time); `passthrough` to the address the client dialled; `dynamic-dns` by the request's own host.
 */
export type Resolution =
  | { readonly kind: 'endpoints' }
  | { readonly kind: 'dns'; readonly logical: boolean }
  | { readonly kind: 'passthrough' }
  | { readonly kind: 'dynamic-dns' };

/** Which namespaces may see an object. */
export type Visibility =
  | { readonly kind: 'public' }
  | { readonly kind: 'namespaces'; readonly namespaces: ReadonlySet<string> };

/** Which endpoints a client of the service prefers while they are healthy. */
export type TrafficDistribution = 'any' | 'same-zone' | 'same-node';

export type ServicePort = {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Where it is written: entries of one host add up, so this may be another object than the service's. */
  readonly object: ObjectRef;
  /** In the object's list of ports. */
  readonly index: number;
};

/** Another name of a service: an ExternalName of Kubernetes that leads to it. */
export type Alias = { readonly hostname: string; readonly visibility: Visibility; readonly origin: ObjectRef };

/** A service of the mesh, from a Kubernetes Service or one host of a ServiceEntry. */
export type Service = {
  readonly key: ServiceKey;
  /** Lower case; may start with `*.` (a ServiceEntry). */
  readonly hostname: string;
  readonly aliases: readonly Alias[];
  readonly namespace: string;
  /** The name of the object it came from. */
  readonly name: string;
  readonly registry: 'Kubernetes' | 'External';
  readonly ports: readonly ServicePort[];
  /** Virtual IPs and CIDRs clients dial; empty for headless, ExternalName and address-less entries. */
  readonly addresses: readonly string[];
  /** The address that DNS capture answers with for an entry without addresses: one per host. Empty for all others. */
  readonly autoAddresses: readonly string[];
  readonly resolution: Resolution;
  readonly headless: boolean;
  readonly meshExternal: boolean;
  readonly visibility: Visibility;
  readonly labels: Readonly<Record<string, string>>;
  /** Subject alternative names that clients must see, beside the endpoints' own identities. */
  readonly subjectAltNames: readonly string[];
  readonly trafficDistribution: TrafficDistribution;
  readonly createdAt: number;
  readonly origin: ObjectRef;
};

/** `region/zone/subzone`; later parts may be empty. */
export type Locality = { readonly region: string; readonly zone: string; readonly subzone: string };

export type Endpoint = {
  /** An IP, a DNS name (dns resolution) or `unix:///path`. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly network: string;
  readonly locality: Locality | undefined;
  /** At least 1. */
  readonly weight: number;
  readonly health: 'healthy' | 'unhealthy' | 'draining';
  /** Whether the endpoint's proxy can do mutual TLS (set by the injector). */
  readonly tlsMode: 'istio' | 'disabled';
  readonly namespace: string;
  readonly workload: string;
  /** The Kubernetes node it runs on. */
  readonly node: string | undefined;
  /** A pod's own label under a headless service: `web-0`, which DNS knows as `web-0.<hostname of the service>`. */
  readonly hostname: string | undefined;
  /** The WorkloadEntry that it comes from. */
  readonly entry: ObjectRef | undefined;
};

/**
 * Where one port of a service leads on a workload. Several services may lead to one target port: the first of the list
 * decides how the port is served, and a later one that wants it otherwise has a diagnostic.
 */
export type ServiceTarget = {
  readonly service: Service;
  readonly port: ServicePort;
  readonly targetPort: number;
};

/** A pod or WorkloadEntry: what may run a proxy. */
export type Workload = {
  readonly name: string;
  readonly namespace: string;
  /** The Deployment, StatefulSet or the like that runs it; its own name if none does. */
  readonly controller: string;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly locality: Locality | undefined;
  readonly network: string;
  /** The Kubernetes node it runs on. */
  readonly node: string | undefined;
  readonly origin: ObjectRef;
};

export function isHttp(protocol: Protocol): boolean {
  return protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web';
}

export function isHttp2(protocol: Protocol): boolean {
  return protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web';
}

/** Whether the bytes are TLS that the mesh must not open. */
export function isTls(protocol: Protocol): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}

/** Every host name that leads to a service. */
export function namesOf({ hostname, aliases }: Service): readonly string[] {
  return aliases.length === 0 ? [hostname] : [hostname, ...aliases.map((alias) => alias.hostname)];
}

export function isVisibleIn(visibility: Visibility, namespace: string): boolean {
  return visibility.kind === 'public' || visibility.namespaces.has(namespace);
}
