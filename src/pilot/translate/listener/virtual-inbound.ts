import type { Listener, ListenerFilter } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import { type Built, clusterRef, type ListenerType } from '../built.ts';
import { buildHttpInspector, buildOriginalDst, buildOriginalSrc } from '../filters/listener-filters.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import { addressOf, bool, uint32 } from '../protobuf.ts';
import { buildChain, type ChainDraft } from './chain.ts';
import { buildPassthroughChains, buildPortChains, type InboundContext } from './inbound-chains.ts';
import type { InboundPort, InboundSocket } from './inbound-plan.ts';
import { distinctOrigins } from './origins.ts';
import { listenerName } from './outbound-draft.ts';
import { WILDCARD_ADDRESS } from './outbound-plan.ts';
import { listenProtocol, serverFirstPorts } from './ports.ts';

export type VirtualInboundInputs = InboundContext & { readonly captured: readonly InboundPort[] };

export type BuiltInbound = {
  readonly listener: Built<ListenerType> | undefined;
  readonly diagnostics: readonly Diagnostic[];
};

/** Where iptables sends everything that comes to the workload; nothing where nothing is intercepted. */
export function buildVirtualInbound(inputs: VirtualInboundInputs): BuiltInbound {
  const { captured, settings, traits } = inputs;
  if (traits.interception === 'NONE') return { listener: undefined, diagnostics: [] };
  const parts = [
    buildPassthroughChains(inputs),
    ...captured.map((port) => buildPortChains(port, inputs, { bound: false })),
  ];
  const drafts = [blackHole(settings), ...parts.flatMap((part) => part.drafts)];
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
    filterChains: drafts.map(buildChain),
  };
  const listener = {
    type: 'envoy.config.listener.v3.Listener' as const,
    name: 'virtualInbound',
    message,
    needs: [
      ...[BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER, ...captured.map(({ cluster }) => cluster)].map(clusterRef),
      ...drafts.flatMap(({ needs }) => needs),
    ],
    origins: distinctOrigins(drafts.flatMap(({ origins }) => origins)),
  };
  return { listener, diagnostics: parts.flatMap((part) => part.diagnostics) };
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

export type InboundSocketInputs = InboundContext & { readonly socket: InboundSocket };

/** A port of the workload that clients connect to directly. On all addresses its name says that it is not the outbound one. */
export function buildInboundSocket(inputs: InboundSocketInputs): BuiltInbound {
  const { socket, settings } = inputs;
  const site = listenerName(socket.address, socket.port);
  const name = socket.address === WILDCARD_ADDRESS ? `inbound_${site}` : site;
  const isSniffed = listenProtocol(socket) === 'auto';
  const { drafts, diagnostics } = buildPortChains(socket, inputs, { bound: true });
  const message: Listener = {
    name,
    address: addressOf(socket.address, socket.port),
    trafficDirection: TrafficDirection.INBOUND,
    listenerFilters: isSniffed ? [buildHttpInspector()] : undefined,
    listenerFiltersTimeout: isSniffed ? settings.detectionTimeout : undefined,
    continueOnListenerFiltersTimeout: isSniffed,
    accessLog: settings.listenerAccessLog,
    filterChains: drafts.map(buildChain),
  };
  const listener = {
    type: 'envoy.config.listener.v3.Listener' as const,
    name,
    message,
    needs: [clusterRef(socket.cluster), ...drafts.flatMap(({ needs }) => needs)],
    origins: distinctOrigins(drafts.flatMap(({ origins }) => origins)),
  };
  return { listener, diagnostics };
}
