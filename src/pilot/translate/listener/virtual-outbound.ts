import type { Listener } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import { BLACK_HOLE_CLUSTER, type ClusterName } from '../../../model/ids.ts';
import { type Built, clusterRef, type ListenerType } from '../built.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import type { ProxyTraits } from '../plan.ts';
import { addressOf, bool } from '../protobuf.ts';
import { buildChain } from './chain.ts';
import { WILDCARD_ADDRESS } from './outbound-plan.ts';

export type VirtualOutboundInputs = {
  readonly settings: ListenerSettings;
  readonly traits: ProxyTraits;
  /** Where connections go that no listener knows: PassthroughCluster, BlackHoleCluster or the egress proxy's. */
  readonly fallThrough: ClusterName;
};

/**
 * Where iptables sends everything that leaves the workload: hands each connection to the listener of its original destination,
 * and keeps what none has. Nothing where nothing is intercepted.
 */
export function buildVirtualOutbound(inputs: VirtualOutboundInputs): Built<ListenerType> | undefined {
  const { settings, traits, fallThrough } = inputs;
  if (traits.interception === 'NONE') return undefined;
  const unknown = { needs: [], origins: [], place: undefined };
  const message: Listener = {
    name: 'virtualOutbound',
    address: addressOf(WILDCARD_ADDRESS, settings.outboundPort),
    useOriginalDst: bool(true),
    transparent: traits.interception === 'TPROXY' ? bool(true) : undefined,
    trafficDirection: TrafficDirection.OUTBOUND,
    accessLog: settings.listenerAccessLog,
    filterChains: [
      // A connection to the port itself would come back for ever.
      buildChain({
        ...unknown,
        name: 'virtualOutbound-blackhole',
        match: { destinationPort: settings.outboundPort },
        filters: [buildPlainTcpProxy(BLACK_HOLE_CLUSTER, settings)],
      }),
      buildChain({
        ...unknown,
        name: 'virtualOutbound-catchall-tcp',
        match: {},
        filters: [buildPlainTcpProxy(fallThrough, settings)],
      }),
    ],
  };
  return {
    type: 'envoy.config.listener.v3.Listener',
    name: 'virtualOutbound',
    message,
    needs: [...new Set([BLACK_HOLE_CLUSTER, fallThrough])].map(clusterRef),
    origins: [],
  };
}
