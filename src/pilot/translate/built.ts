import type { Messages } from '../../gen/types.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ObjectRef } from '../../model/object.ts';
import type { Origin, ResourceRef } from '../../xds/resource.ts';

export type ClusterType = 'envoy.config.cluster.v3.Cluster';
export type AssignmentType = 'envoy.config.endpoint.v3.ClusterLoadAssignment';
export type ListenerType = 'envoy.config.listener.v3.Listener';
export type RouteConfigurationType = 'envoy.config.route.v3.RouteConfiguration';

/** One Envoy resource before encoding, with the objects it came from and the resources it names. */
export type Built<K extends keyof Messages> = {
  readonly type: K;
  readonly name: string;
  readonly message: Messages[K];
  readonly needs: readonly ResourceRef[];
  readonly origins: readonly Origin[];
};

/** What a translator returns: resources, and what it has to tell the owners of the objects. */
export type Translated<K extends keyof Messages> = {
  readonly resources: readonly Built<K>[];
  readonly diagnostics: readonly Diagnostic[];
};

/** A virtual host with what it names; route configurations are assembled from these, and each is encoded once. */
export type BuiltVirtualHost = {
  readonly name: string;
  readonly message: Messages['envoy.config.route.v3.VirtualHost'];
  readonly needs: readonly ResourceRef[];
  readonly origins: readonly Origin[];
  readonly diagnostics: readonly Diagnostic[];
};

export function originOf(object: ObjectRef, path: string): Origin {
  return { kind: object.kind, namespace: object.namespace, name: object.name, path };
}

const prefix = 'type.googleapis.com/';
export const CLUSTER_URL = `${prefix}envoy.config.cluster.v3.Cluster`;
export const ASSIGNMENT_URL = `${prefix}envoy.config.endpoint.v3.ClusterLoadAssignment`;
export const LISTENER_URL = `${prefix}envoy.config.listener.v3.Listener`;
export const ROUTE_URL = `${prefix}envoy.config.route.v3.RouteConfiguration`;

export function clusterRef(name: string): ResourceRef {
  return { typeUrl: CLUSTER_URL, name };
}

export function assignmentRef(name: string): ResourceRef {
  return { typeUrl: ASSIGNMENT_URL, name };
}

export function routeRef(name: string): ResourceRef {
  return { typeUrl: ROUTE_URL, name };
}
