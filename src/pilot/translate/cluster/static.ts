import type { BindConfig, Cluster } from '../../../gen/types.ts';
import { Cluster_DiscoveryType, Cluster_LbPolicy } from '../../../gen/types.ts';
import {
  BLACK_HOLE_CLUSTER,
  type ClusterName,
  INBOUND_PASSTHROUGH_CLUSTER,
  PASSTHROUGH_CLUSTER,
} from '../../../model/ids.ts';
import type { Built, ClusterType } from '../built.ts';
import { buildConnectionOptions, unlimitedBreakers } from '../policy/connection-pool.ts';
import { buildProtocolOptions } from '../policy/http-protocol.ts';
import { duration } from '../protobuf.ts';
import type { ClusterDefaults } from './defaults.ts';

/** Traffic for the workload itself leaves from here, so that the capture rules do not send it round again. */
export const inboundBind: BindConfig = {
  sourceAddress: { address: '127.0.0.6', portValue: 0 },
  extraSourceAddresses: [{ address: { address: '::6', portValue: 0 } }],
};

/** To wherever the client dialled. */
export function buildPassthroughCluster(defaults: ClusterDefaults): Built<ClusterType> {
  return built(PASSTHROUGH_CLUSTER, { ...originalDestination(defaults), name: PASSTHROUGH_CLUSTER });
}

/** To whatever port of the workload the client dialled. */
export function buildInboundPassthroughCluster(defaults: ClusterDefaults): Built<ClusterType> {
  return built(INBOUND_PASSTHROUGH_CLUSTER, {
    ...originalDestination(defaults),
    name: INBOUND_PASSTHROUGH_CLUSTER,
    upstreamBindConfig: inboundBind,
  });
}

/** To nowhere. */
export function buildBlackHoleCluster(defaults: ClusterDefaults): Built<ClusterType> {
  return built(BLACK_HOLE_CLUSTER, {
    name: BLACK_HOLE_CLUSTER,
    type: Cluster_DiscoveryType.STATIC,
    connectTimeout: duration(defaults.connectTimeoutMs),
  });
}

function originalDestination(defaults: ClusterDefaults): Cluster {
  return {
    type: Cluster_DiscoveryType.ORIGINAL_DST,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    connectTimeout: duration(defaults.connectTimeoutMs),
    circuitBreakers: unlimitedBreakers,
    upstreamConnectionOptions: buildConnectionOptions(undefined, defaults.tcpKeepalive),
    typedExtensionProtocolOptions: buildProtocolOptions({ speaks: 'as-client', pool: undefined, fromHost: undefined }),
  };
}

function built(name: ClusterName, message: Cluster): Built<ClusterType> {
  return { type: 'envoy.config.cluster.v3.Cluster', name, message, needs: [], origins: [] };
}
