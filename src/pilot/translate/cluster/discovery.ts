import { anyOf } from '../../../gen/codec.ts';
import type {
  Cluster_CustomClusterType,
  Cluster_EdsClusterConfig,
  ClusterLoadAssignment,
  DnsCacheConfig,
  OneOf,
} from '../../../gen/types.ts';
import { Cluster_DiscoveryType, Cluster_DnsLookupFamily, DnsLookupFamily } from '../../../gen/types.ts';
import { assertNever } from '../../../kit/assert-never.ts';
import type { Proxy } from '../../../model/proxy.ts';
import type { Resolution } from '../../../model/service.ts';
import { adsSource, duration } from '../protobuf.ts';

/** How Envoy finds the endpoints of a cluster. */
export type Discovery = 'eds' | 'dns' | 'logical-dns' | 'original-dst' | 'dynamic-dns' | 'nowhere';

/**
 * A gateway's clients dial the gateway, so there an original destination means nothing: it is sent endpoints instead.
 * A gRPC client resolves one name at most.
 */
export function discoveryOf(resolution: Resolution, balancer: string | undefined, kind: Proxy['kind']): Discovery {
  if (balancer === 'PASSTHROUGH' && kind === 'sidecar' && resolution.kind !== 'dynamic-dns') return 'original-dst';
  switch (resolution.kind) {
    case 'endpoints':
      return 'eds';
    case 'dns':
      return resolution.logical || kind === 'proxyless' ? 'logical-dns' : 'dns';
    case 'passthrough':
      return kind === 'sidecar' ? 'original-dst' : 'eds';
    case 'dynamic-dns':
      return kind === 'proxyless' ? 'eds' : 'dynamic-dns';
    default:
      return assertNever(resolution);
  }
}

export type DiscoveryFields = {
  readonly edsClusterConfig?: Cluster_EdsClusterConfig;
  readonly loadAssignment?: ClusterLoadAssignment;
} & OneOf<{ type: Cluster_DiscoveryType; clusterType: Cluster_CustomClusterType }>;

export type DiscoveryInputs = {
  readonly discovery: Discovery;
  readonly name: string;
  readonly kind: Proxy['kind'];
  /** Of a cluster that resolves names. */
  readonly assignment: ClusterLoadAssignment | undefined;
  readonly dnsRefreshMs: number;
};

export function buildDiscovery(inputs: DiscoveryInputs): DiscoveryFields {
  const { discovery, name } = inputs;
  switch (discovery) {
    case 'eds':
      return { type: Cluster_DiscoveryType.EDS, edsClusterConfig: { edsConfig: adsSource, serviceName: name } };
    case 'dns':
    case 'logical-dns':
      return buildDns(inputs);
    case 'original-dst':
      return { type: Cluster_DiscoveryType.ORIGINAL_DST };
    case 'dynamic-dns':
      return { clusterType: buildDynamicDns() };
    case 'nowhere':
      return { type: Cluster_DiscoveryType.STATIC };
    default:
      return assertNever(discovery);
  }
}

/**
 * Envoy's STRICT_DNS and LOGICAL_DNS by their newer name: the fields for refreshing are deprecated on the cluster itself, and
 * every use is a line in the proxy's log. gRPC clients know only the old name.
 */
function buildDns({ discovery, name, kind, assignment, dnsRefreshMs }: DiscoveryInputs): DiscoveryFields {
  const loadAssignment = assignment ?? { clusterName: name };
  if (kind === 'proxyless') return { type: Cluster_DiscoveryType.LOGICAL_DNS, loadAssignment };
  const typedConfig = anyOf('envoy.extensions.clusters.dns.v3.DnsCluster', {
    dnsRefreshRate: duration(dnsRefreshMs),
    respectDnsTtl: true,
    dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
    ...(discovery === 'logical-dns' ? { allAddressesInSingleEndpoint: true } : {}),
  });
  return { clusterType: { name: 'envoy.clusters.dns', typedConfig }, loadAssignment };
}

/**
 * The cache of names that requests bring along. The cluster resolves the hosts of HTTP requests by itself; a filter that resolves
 * server names for it must have the very same configuration, because Envoy knows the cache by its name.
 */
export const dynamicDnsCache: DnsCacheConfig = {
  name: 'dynamic_dns',
  dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
};

function buildDynamicDns(): Cluster_CustomClusterType {
  return {
    name: 'envoy.clusters.dynamic_forward_proxy',
    typedConfig: anyOf('envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig', {
      dnsCacheConfig: dynamicDnsCache,
    }),
  };
}
