import { Cluster_DiscoveryType, Cluster_LbPolicy } from '../../../gen/types.ts';
import type { Built, ClusterType } from '../built.ts';

/** What gRPC libraries know to balance by; anything else makes them refuse the cluster. */
const known: readonly Cluster_LbPolicy[] = [Cluster_LbPolicy.ROUND_ROBIN, Cluster_LbPolicy.RING_HASH];

/** The part of a cluster that gRPC libraries read (gRFC A27, A42, A50): they bring their own connections and protocol. */
export function proxylessCluster(built: Built<ClusterType>): Built<ClusterType> {
  const { message } = built;
  const lbPolicy =
    message.lbPolicy !== undefined && known.includes(message.lbPolicy)
      ? message.lbPolicy
      : Cluster_LbPolicy.ROUND_ROBIN;
  return {
    ...built,
    message: {
      name: message.name,
      ...(built.needs.length > 0
        ? { type: Cluster_DiscoveryType.EDS, edsClusterConfig: message.edsClusterConfig }
        : { type: message.type ?? Cluster_DiscoveryType.STATIC, loadAssignment: message.loadAssignment }),
      lbPolicy,
      ...(lbPolicy === Cluster_LbPolicy.RING_HASH ? { ringHashLbConfig: message.ringHashLbConfig } : {}),
      circuitBreakers: message.circuitBreakers,
      outlierDetection: message.outlierDetection,
    },
  };
}
