import type { Listener, ListenerFilter } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ClusterName } from '../../../model/ids.ts';
import { isTls } from '../../../model/service.ts';
import { clusterRef, type ListenerType, originOf, routeRef, type Translated } from '../built.ts';
import { buildHttpManager } from '../filters/http-connection-manager.ts';
import { buildHttpInspector, buildTlsInspector } from '../filters/listener-filters.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import type { ProxyTraits } from '../plan.ts';
import { addressOf, bool } from '../protobuf.ts';
import { buildChain, type ChainDraft, type ChainMatch, mergeChains, takesAll } from './chain.ts';
import { sniffedProtocols } from './inbound-match.ts';
import { buildMemberChains } from './l4-chains.ts';
import { distinctOrigins, portOrigin } from './origins.ts';
import type { L4Member, OutboundListenerPlan } from './outbound-plan.ts';

export type OutboundListenerInputs = {
  readonly plan: OutboundListenerPlan;
  readonly traits: ProxyTraits;
  readonly settings: ListenerSettings;
  readonly fallThrough: ClusterName;
};

/** One outbound listener: HTTP by RDS, everything else by filter chains, and what neither takes to the fall-through cluster. */
export function buildOutboundListener(inputs: OutboundListenerInputs): Translated<ListenerType> {
  const { plan, settings } = inputs;
  const { drafts, diagnostics } = buildDrafts(inputs);
  const merged = mergeChains(drafts);
  const rest = merged.chains.find(({ match }) => takesAll(match)) ?? buildFallThrough(inputs);
  const chains = merged.chains.filter((chain) => chain !== rest);
  const message: Listener = {
    name: plan.name,
    address: addressOf(plan.address, plan.port),
    bindToPort: plan.bindToPort ? undefined : bool(false),
    trafficDirection: TrafficDirection.OUTBOUND,
    ...buildDetection(plan, chains, settings),
    accessLog: settings.listenerAccessLog,
    ...placeChains(chains, rest),
  };
  const used = rest === undefined ? chains : [...chains, rest];
  const resource = {
    type: 'envoy.config.listener.v3.Listener' as const,
    name: plan.name,
    message,
    needs: distinctNeeds(used),
    origins: distinctOrigins([...egressOrigins(plan), ...used.flatMap(({ origins }) => origins)]),
  };
  return { resources: [resource], diagnostics: [...diagnostics, ...merged.diagnostics] };
}

/** A chain that takes whatever is left stands alone as a plain chain, beside others as the default. */
function placeChains(
  chains: readonly ChainDraft[],
  rest: ChainDraft | undefined,
): Pick<Listener, 'filterChains' | 'defaultFilterChain'> {
  if (rest === undefined) return { filterChains: chains.map(buildChain) };
  if (chains.length === 0) return { filterChains: [buildChain(rest)] };
  return { filterChains: chains.map(buildChain), defaultFilterChain: buildChain(rest) };
}

type Drafts = { readonly drafts: readonly ChainDraft[]; readonly diagnostics: readonly Diagnostic[] };

function buildDrafts(inputs: OutboundListenerInputs): Drafts {
  const { plan, traits, settings } = inputs;
  const members = plan.l4.map((member) => ({
    member,
    built: buildMemberChains({ member, port: plan.port, traits, settings }),
  }));
  const l4 = members.flatMap(({ member, built }) => [...buildSniffedChain(inputs, member), ...built.drafts]);
  const isShared = l4.some(({ match }) => takesAll(match));
  const http = plan.route === undefined ? [] : [buildHttpChain(inputs, plan.route, isShared)];
  return { drafts: [...http, ...l4], diagnostics: members.flatMap(({ built }) => built.diagnostics) };
}

/**
 * Where no TCP shares the listener, everything that is not TLS is taken for HTTP without looking: a slow client cannot end in the
 * wrong chain. TLS on an HTTP port is somebody else's, outside the mesh.
 */
function buildHttpChain(inputs: OutboundListenerInputs, route: string, isShared: boolean): ChainDraft {
  const { plan } = inputs;
  const raw: ChainMatch = { transport: 'raw_buffer' };
  const match = isShared
    ? { ...raw, protocols: sniffedProtocols(inputs.traits.http10) }
    : plan.bindToPort && plan.l4.length === 0
      ? {}
      : raw;
  return {
    match,
    filters: [
      buildManager(
        inputs,
        route,
        plan.http.some(({ port }) => port.protocol === 'GRPC-Web'),
      ),
    ],
    needs: [routeRef(route)],
    origins: plan.http.map(portOrigin),
    place: undefined,
  };
}

function buildSniffedChain(inputs: OutboundListenerInputs, member: L4Member): readonly ChainDraft[] {
  const { sniffed: route, subnets, at } = member;
  if (route === undefined) return [];
  return [
    {
      match: {
        transport: 'raw_buffer',
        protocols: sniffedProtocols(inputs.traits.http10),
        ...(subnets.length > 0 ? { subnets } : {}),
      },
      filters: [buildManager(inputs, route, false)],
      needs: [routeRef(route)],
      origins: [portOrigin(at)],
      place: undefined,
    },
  ];
}

function buildManager({ plan, settings, traits }: OutboundListenerInputs, route: string, grpcWeb: boolean) {
  return buildHttpManager({
    direction: 'outbound',
    statPrefix: `outbound_${plan.name}`,
    routes: { kind: 'rds', name: route },
    settings,
    http10: traits.http10,
    grpcWeb,
    security: [],
    tellsProtocol: traits.identityFolder !== '',
  });
}

/** A real socket has no destination to pass on to. */
function buildFallThrough({ plan, settings, fallThrough }: OutboundListenerInputs): ChainDraft | undefined {
  if (plan.bindToPort) return undefined;
  return {
    name: 'PassthroughFilterChain',
    match: {},
    filters: [buildPlainTcpProxy(fallThrough, settings)],
    needs: [clusterRef(fallThrough)],
    origins: [],
    place: undefined,
  };
}

type Detection = Pick<Listener, 'listenerFilters' | 'listenerFiltersTimeout' | 'continueOnListenerFiltersTimeout'>;

/**
 * Inspectors wait for the client's first bytes, so each is there only where some chain asks for what it finds. Where TLS is
 * expected the client speaks first anyway, and logs can tell the server name.
 */
function buildDetection(
  plan: OutboundListenerPlan,
  chains: readonly ChainDraft[],
  settings: ListenerSettings,
): Detection {
  const asksHttp = chains.some(({ match }) => (match.protocols ?? []).length > 0);
  const asksTls = chains.some(({ match: { serverNames = [], transport, protocols = [] } }) => {
    return serverNames.length > 0 || (transport !== undefined && protocols.length === 0);
  });
  const expectsTls = plan.l4.some(({ at }) => isTls(at.port.protocol));
  const listenerFilters: ListenerFilter[] = [];
  if (asksTls || expectsTls) listenerFilters.push(buildTlsInspector());
  if (asksHttp) listenerFilters.push(buildHttpInspector());
  if (listenerFilters.length === 0) return {};
  return {
    listenerFilters,
    listenerFiltersTimeout: settings.detectionTimeout,
    continueOnListenerFiltersTimeout: true,
  };
}

function distinctNeeds(chains: readonly ChainDraft[]) {
  const needs = chains.flatMap((chain) => chain.needs);
  return [...new Map(needs.map((need) => [`${need.typeUrl} ${need.name}`, need])).values()];
}

function egressOrigins({ egress }: OutboundListenerPlan) {
  return egress === undefined ? [] : [originOf(egress.object, egress.path)];
}
