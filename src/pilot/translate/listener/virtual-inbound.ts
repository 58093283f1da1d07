import type { Listener, ListenerFilter } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import { type Built, clusterRef, type ListenerType } from '../built.ts';
import { buildHttpInspector, buildOriginalDst, buildOriginalSrc } from '../filters/listener-filters.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import type { ProxyTraits } from '../plan.ts';
import { addressOf, bool, uint32 } from '../protobuf.ts';
import { buildChain, type ChainDraft } from './chain.ts';
import { buildPassthroughChains, buildPortChains } from './inbound-chains.ts';
import type { InboundTlsMode } from './inbound-match.ts';
import type { InboundPort, InboundSocket } from './inbound-plan.ts';
import { distinctOrigins } from './origins.ts';
import { listenerName } from './outbound-draft.ts';
import { WILDCARD_ADDRESS } from './outbound-plan.ts';
import { listenProtocol, serverFirstPorts } from './ports.ts';

export type VirtualInboundInputs = {
  readonly captured: readonly InboundPort[];
  readonly settings: ListenerSettings;
  readonly traits: ProxyTraits;
};

const MODE: InboundTlsMode = 'DISABLE';

/** Where iptables sends everything that comes to the workload; nothing where nothing is intercepted. */
export function buildVirtualInbound(inputs: VirtualInboundInputs): Built<ListenerType> | undefined {
  const { captured, settings, traits } = inputs;
  if (traits.interception === 'NONE') return undefined;
  const ports = captured.flatMap((port) =>
    buildPortChains({ port, settings, http10: traits.http10, mode: MODE, bound: false }),
  );
  const message: Listener = {
    name: 'virtualInbound',
    address: addressOf(WILDCARD_ADDRESS, settings.inboundPort),
    transparent: traits.interception === 'TPROXY' ? bool(true) : undefined,
    trafficDirection: TrafficDirection.INBOUND,
    listenerFilters: buildListenerFilters(inputs),
    listenerFiltersTimeout: settings.detectionTimeout,
    continueOnListenerFiltersTimeout: true,
    maxConnectionsToAcceptPerSocketEvent: uint32(1),
    accessLog: settings.listenerAccessLog,
    filterChains: [blackHole(settings), ...buildPassthroughChains(settings, traits.http10), ...ports].map(buildChain),
  };
  return {
    type: 'envoy.config.listener.v3.Listener',
    name: 'virtualInbound',
    message,
    needs: [BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER, ...captured.map(({ cluster }) => cluster)].map(clusterRef),
    origins: distinctOrigins(captured.flatMap(({ origins }) => origins)),
  };
}

/** A connection to the port itself would come back for ever. */
function blackHole(settings: ListenerSettings): ChainDraft {
  return {
    name: 'virtualInbound-blackhole',
    match: { destinationPort: settings.inboundPort },
    filters: [buildPlainTcpProxy(BLACK_HOLE_CLUSTER, settings)],
    needs: [],
    origins: [],
    place: undefined,
  };
}

function buildListenerFilters({ captured, settings, traits }: VirtualInboundInputs): readonly ListenerFilter[] {
  const typed = captured.filter(({ port, protocol }) => listenProtocol({ port, protocol }) !== 'auto');
  // Nobody waits for a client where the protocol is known, or where servers are known to speak first.
  const known = [...typed.map(({ port }) => port), ...serverFirstPorts, settings.inboundPort];
  const filters = [buildOriginalDst(), buildHttpInspector(known)];
  return traits.interception === 'TPROXY'
    ? [buildOriginalDst(), buildOriginalSrc(), buildHttpInspector(known)]
    : filters;
}

export type InboundSocketInputs = {
  readonly socket: InboundSocket;
  readonly settings: ListenerSettings;
  readonly traits: ProxyTraits;
};

/** A port of the workload that clients connect to directly. On all addresses its name says that it is not the outbound one. */
export function buildInboundSocket({ socket, settings, traits }: InboundSocketInputs): Built<ListenerType> {
  const site = listenerName(socket.address, socket.port);
  const name = socket.address === WILDCARD_ADDRESS ? `inbound_${site}` : site;
  const isSniffed = listenProtocol(socket) === 'auto';
  const chains = buildPortChains({ port: socket, settings, http10: traits.http10, mode: MODE, bound: true });
  const message: Listener = {
    name,
    address: addressOf(socket.address, socket.port),
    trafficDirection: TrafficDirection.INBOUND,
    listenerFilters: isSniffed ? [buildHttpInspector()] : undefined,
    listenerFiltersTimeout: isSniffed ? settings.detectionTimeout : undefined,
    continueOnListenerFiltersTimeout: isSniffed,
    accessLog: settings.listenerAccessLog,
    filterChains: chains.map(buildChain),
  };
  return {
    type: 'envoy.config.listener.v3.Listener',
    name,
    message,
    needs: [clusterRef(socket.cluster)],
    origins: socket.origins,
  };
}
