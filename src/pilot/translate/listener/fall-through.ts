import type { OutboundTrafficPolicy } from '../../../apis/networking/networking.ts';
import { BLACK_HOLE_CLUSTER, type ClusterName, outboundClusterName, PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';

/**
 * The cluster for what the mesh does not know. A Sidecar's policy is used whole, even an empty one; an egress proxy takes what
 * would otherwise pass.
 */
export function fallThroughCluster(policy: OutboundTrafficPolicy): ClusterName {
  if (policy.mode !== 'ALLOW_ANY') return BLACK_HOLE_CLUSTER;
  const { egressProxy } = policy;
  if (egressProxy === undefined) return PASSTHROUGH_CLUSTER;
  return outboundClusterName(egressProxy.port?.number ?? 0, egressProxy.subset ?? '', egressProxy.host);
}
