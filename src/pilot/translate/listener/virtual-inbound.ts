import type { Listener, ListenerFilter } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import { type Built, clusterRef, type ListenerType } from '../built.ts';
import {
  buildHttpInspector,
  buildOriginalDst,
  buildOriginalSrc,
  buildTlsInspector,
  type InspectedPorts,
} from '../filters/listener-filters.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import { addressOf, bool, uint32 } from '../protobuf.ts';
import { buildChain, type ChainDraft } from './chain.ts';
import { buildPassthroughChains, buildPortChains, type InboundContext, portRows } from './inbound-chains.ts';
import type { InboundPort, InboundSocket } from './inbound-plan.ts';
import { asksForHttp, asksForTls, type PortRows } from './inbound-rows.ts';
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
    buildPassthroughChains(inputs, unnamedPorts(inputs)),
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

/** Ports that a policy treats on their own, though no service leads there. */
function unnamedPorts({ captured, security: { peer } }: VirtualInboundInputs): readonly number[] {
  const named = new Set(captured.map(({ port }) => port));
  return [...peer.ports.keys()].filter((port) => !named.has(port));
}

function buildListenerFilters(inputs: VirtualInboundInputs): readonly ListenerFilter[] {
  const source = inputs.traits.interception === 'TPROXY' ? [buildOriginalSrc()] : [];
  const tls = inspectedPorts(inputs, asksForTls);
  const http = inspectedPorts(inputs, asksForHttp);
  return [
    buildOriginalDst(),
    ...source,
    ...(isAnywhere(tls) ? [buildTlsInspector(tls)] : []),
    ...(isAnywhere(http) ? [buildHttpInspector(http)] : []),
  ];
}

function isAnywhere({ kind, ports }: InspectedPorts): boolean {
  return kind === 'all-but' || ports.length > 0;
}

/**
 * Nobody waits for a client's first bytes where they decide nothing. Where plaintext is permitted beside mutual TLS there is no other
 * way to tell them apart: there a plain client of a server that speaks first waits until the inspection times out. Of ports that no
 * service names those of well-known servers of that kind are spared it: no client of the mesh uses mutual TLS there.
 */
function inspectedPorts(inputs: VirtualInboundInputs, asks: (rows: PortRows) => boolean): InspectedPorts {
  const { captured, settings, security } = inputs;
  const named = captured.map((port) => ({
    port: port.port,
    rows: portRows(inputs, { protocol: listenProtocol(port), port: port.port }),
  }));
  const unnamed = unnamedPorts(inputs).map((port) => ({
    port,
    rows: portRows(inputs, { protocol: listenProtocol({ port, protocol: 'auto' }), port }),
  }));
  const listed = [...named, ...unnamed];
  const rest = portRows(inputs, { protocol: 'auto', port: undefined });
  if (!asks(rest)) return { kind: 'only', ports: listed.filter(({ rows }) => asks(rows)).map(({ port }) => port) };
  const spared = security.peer.mode === 'STRICT' ? [] : serverFirstPorts;
  const asked = new Set(listed.filter(({ rows }) => asks(rows)).map(({ port }) => port));
  const known = [...listed.map(({ port }) => port), ...spared, settings.inboundPort];
  return { kind: 'all-but', ports: known.filter((port) => !asked.has(port)) };
}

export type InboundSocketInputs = InboundContext & { readonly socket: InboundSocket };

/** A port of the workload that clients connect to directly. On all addresses its name says that it is not the outbound one. */
export function buildInboundSocket(inputs: InboundSocketInputs): BuiltInbound {
  const { socket, settings } = inputs;
  const site = listenerName(socket.address, socket.port);
  const name = socket.address === WILDCARD_ADDRESS ? `inbound_${site}` : site;
  const rows = portRows(inputs, { protocol: listenProtocol(socket), port: socket.port });
  const inspectors = [
    ...(asksForTls(rows) ? [buildTlsInspector()] : []),
    ...(asksForHttp(rows) ? [buildHttpInspector()] : []),
  ];
  const isInspected = inspectors.length > 0;
  const { drafts, diagnostics } = buildPortChains(socket, inputs, { bound: true });
  const message: Listener = {
    name,
    address: addressOf(socket.address, socket.port),
    trafficDirection: TrafficDirection.INBOUND,
    listenerFilters: isInspected ? inspectors : undefined,
    listenerFiltersTimeout: isInspected ? settings.detectionTimeout : undefined,
    continueOnListenerFiltersTimeout: isInspected,
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
