import type {
  HttpRoute,
  Subset,
  TcpRoute,
  TlsRoute,
  TrafficPolicy,
  WorkloadSelector,
} from '../apis/networking/networking.ts';
import type { ConfigSnapshot } from './config-snapshot.ts';
import type { SecretBook } from './gateway-secret.ts';
import type { ServiceKey } from './ids.ts';
import type { MeshSecurity } from './mesh-security.ts';
import type { ConfigObject, ObjectRef } from './object.ts';
import type { Endpoint, Service, ServiceTarget, Visibility, Workload } from './service.ts';

/** A spec and where a person finds it: the object and the path inside it (`spec.http[2]`). */
export type Traced<T> = { readonly spec: T; readonly object: ObjectRef; readonly path: string };

/** A VirtualService with hosts completed, gateways qualified and delegates merged in. */
export type MeshVirtualService = {
  readonly object: ConfigObject<'VirtualService'>;
  /** Complete lower-case host names, as listed. */
  readonly hosts: readonly string[];
  /** `mesh`, or `namespace/name` of a Gateway. Never empty. */
  readonly gateways: readonly string[];
  readonly http: readonly Traced<HttpRoute>[];
  readonly tls: readonly Traced<TlsRoute>[];
  readonly tcp: readonly Traced<TcpRoute>[];
  readonly visibility: Visibility;
};

/** The DestinationRules of one host in one namespace, merged: oldest policy wins, subsets add up. */
export type MeshDestinationRule = {
  readonly host: string;
  readonly namespace: string;
  readonly trafficPolicy: Traced<TrafficPolicy> | undefined;
  readonly subsets: readonly Traced<Subset>[];
  readonly workloadSelector: WorkloadSelector | undefined;
  readonly visibility: Visibility;
  readonly origins: readonly ObjectRef[];
};

/** Endpoints by port number of one service. A list that did not change is the same array. */
export type ServiceEndpoints = ReadonlyMap<number, readonly Endpoint[]>;

export type HostPod = { readonly workload: Workload; readonly targets: readonly ServiceTarget[] };

/**
 * The mesh at one moment: immutable, indexed, and sharing everything that did not change with the snapshot before it.
 * Istio calls it PushContext.
 */
export type MeshSnapshot = {
  readonly config: ConfigSnapshot;
  /** Oldest first, then by key. */
  readonly services: readonly Service[];
  readonly servicesByKey: ReadonlyMap<ServiceKey, Service>;
  readonly servicesByHostname: ReadonlyMap<string, readonly Service[]>;
  readonly endpoints: ReadonlyMap<ServiceKey, ServiceEndpoints>;
  readonly workloadsByAddress: ReadonlyMap<string, Workload>;
  /** What a workload serves, by its address; services oldest first. */
  readonly targetsByAddress: ReadonlyMap<string, readonly ServiceTarget[]>;
  /** Pods on their host's network, by `name.namespace`: they share its address, so that says nothing of them. */
  readonly hostPods: ReadonlyMap<string, HostPod>;
  /** Oldest first, then by name and namespace. */
  readonly virtualServices: readonly MeshVirtualService[];
  readonly security: MeshSecurity;
  /** What gateways end TLS with. For those alone that have proven who they are. */
  readonly secrets: SecretBook;
  /** By namespace of the rule; in each, the most specific host first. */
  readonly destinationRules: ReadonlyMap<string, readonly MeshDestinationRule[]>;
};
