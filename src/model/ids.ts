import type { Brand } from '../kit/brand.ts';

/** The name of one object of the mesh: `Kind/namespace/name` (an empty namespace for cluster-scoped kinds). */
export type ObjectKey = Brand<string, 'ObjectKey'>;

/** The name of an Envoy cluster, such as `outbound|9080|v1|reviews.default.svc.cluster.local`. */
export type ClusterName = Brand<string, 'ClusterName'>;

/** One service of one namespace: `namespace/hostname`. The same hostname may exist in several namespaces. */
export type ServiceKey = Brand<string, 'ServiceKey'>;

export function objectKey(kind: string, namespace: string, name: string): ObjectKey {
  return `${kind}/${namespace}/${name}` as ObjectKey;
}

export function serviceKey(namespace: string, hostname: string): ServiceKey {
  return `${namespace}/${hostname}` as ServiceKey;
}

/** `outbound|<port>|<subset>|<fqdn>`: Istio's name of the cluster for one port (and subset) of a service. */
export function outboundClusterName(port: number, subset: string, hostname: string): ClusterName {
  return `outbound|${port}|${subset}|${hostname}` as ClusterName;
}

/** `inbound|<target port>||`: the cluster that leads to the workload itself. */
export function inboundClusterName(targetPort: number): ClusterName {
  return `inbound|${targetPort}||` as ClusterName;
}

export const BLACK_HOLE_CLUSTER = 'BlackHoleCluster' as ClusterName;
export const PASSTHROUGH_CLUSTER = 'PassthroughCluster' as ClusterName;
export const INBOUND_PASSTHROUGH_CLUSTER = 'InboundPassthroughCluster' as ClusterName;
