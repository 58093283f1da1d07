import { hostSubsetOf } from '../../../apis/host.ts';
import type { TcpRoute, TlsRoute } from '../../../apis/networking/networking.ts';
import type { ConfigListenerFilter } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { outboundClusterName } from '../../../model/ids.ts';
import type { Traced } from '../../../model/mesh-snapshot.ts';
import { isTls, type Protocol, type ServicePort } from '../../../model/service.ts';
import { clusterRef, originOf } from '../built.ts';
import {
  buildMongoProxy,
  buildServerNameResolver,
  buildTcpProxy,
  type ConnectionSettings,
  connectionsOf,
} from '../filters/tcp-proxy.ts';
import type { ProxyTraits } from '../plan.ts';
import type { Place } from '../policy/diagnose.ts';
import { effectivePolicy } from '../policy/effective-policy.ts';
import { MESH, matchApplies } from '../route/applies.ts';
import { type L4Inputs, type L4Route, type L4Routes, matchTcpRoutes, matchTlsRoutes } from '../route/l4.ts';
import { type ChainDraft, type ChainMatch, serverNamesOf } from './chain.ts';
import { diagnoseListener } from './codes.ts';
import { portOrigin, portPlace } from './origins.ts';
import type { L4Member } from './outbound-plan.ts';
import { listenProtocol } from './ports.ts';

export type MemberChainsInputs = {
  readonly member: L4Member;
  /** The listener's. */
  readonly port: number;
  readonly traits: ProxyTraits;
  readonly settings: ConnectionSettings;
};

export type BuiltChains = { readonly drafts: readonly ChainDraft[]; readonly diagnostics: readonly Diagnostic[] };

/** The chains of one service's port: by the rules of VirtualServices, and for what these leave, to the service itself. */
export function buildMemberChains({ member, port, traits, settings }: MemberChainsInputs): BuiltChains {
  const { at, virtualServices, destinations, subnets } = member;
  const client = { gateways: [MESH], port, namespace: traits.namespace, labels: traits.labels };
  const inputs = { virtualServices, client, destinations };
  const context: RouteContext = { protocol: at.port.protocol, subnets, settings };
  const isOpaque = isTls(at.port.protocol);
  // Server names are not looked for where plain TCP is expected: a server that speaks first would have to wait.
  const tls = isOpaque || listenProtocol(at.port) === 'auto' ? matchTlsRoutes(inputs) : none;
  const tcp = isOpaque ? none : matchTcpRoutes(inputs);
  const bySni = buildTlsChains(tls.routes, context);
  const plain = tcp.routes.map((route) => buildRouteChain(route, context, {}));
  const isServed = isOpaque
    ? bySni.drafts.length > 0 && decideFor(member)
    : tcp.routes.some(({ destinationSubnets }) => destinationSubnets.length === 0);
  const own = isServed ? { drafts: [], diagnostics: [] } : buildOwnChain(member, settings);
  return {
    drafts: [...bySni.drafts, ...plain, ...own.drafts].flatMap((draft) => splitSniffed(member, draft)),
    diagnostics: [
      ...tls.diagnostics,
      ...tcp.diagnostics,
      ...bySni.diagnostics,
      ...own.diagnostics,
      ...(tls === none ? tellWrongKind(inputs, 'tls', at.port) : []),
      ...(tcp === none ? tellWrongKind(inputs, 'tcp', at.port) : []),
    ],
  };
}

/** Rules for single names under a wildcard service decide for these, and for nothing else. */
function decideFor({ at, virtualServices }: L4Member): boolean {
  return virtualServices.some(({ hosts }) => hosts.some((host) => hostSubsetOf(at.service.hostname, host)));
}

const none: L4Routes = { routes: [], diagnostics: [] };

/** Rules that name a port on which rules of their kind are not asked. */
function tellWrongKind(
  { virtualServices, client }: L4Inputs,
  kind: 'tls' | 'tcp',
  { port, protocol }: ServicePort,
): readonly Diagnostic[] {
  const rules = virtualServices.flatMap(
    (virtualService): readonly Traced<TlsRoute | TcpRoute>[] => virtualService[kind],
  );
  const named = rules.filter(({ spec }) =>
    (spec.match ?? []).some((match) => match.port === port && matchApplies(match, client)),
  );
  const other = kind === 'tls' ? 'tcp' : 'tls';
  const message = `port ${port} speaks ${protocol}, so it has ${other} rules and this ${kind} rule is not used there`;
  return named.map((rule) => diagnoseListener('warning', 'XEB2307', rule, message));
}

export type RouteContext = {
  readonly protocol: Protocol;
  /** Where a route names no addresses itself. */
  readonly subnets: readonly string[];
  readonly settings: ConnectionSettings;
};

/** A chain for each rule that has server names Envoy can match. */
export function buildTlsChains(routes: readonly L4Route[], context: RouteContext): BuiltChains {
  const drafts: ChainDraft[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const route of routes) {
    const { names, unusable } = serverNamesOf(route.sniHosts);
    if (unusable.length > 0) {
      diagnostics.push(tellUnusable(unusable, route.place));
      if (names.length === 0) continue;
    }
    drafts.push(buildRouteChain(route, context, names.length === 0 ? { transport: 'tls' } : { serverNames: names }));
  }
  return { drafts, diagnostics };
}

export function buildRouteChain(route: L4Route, context: RouteContext, match: ChainMatch): ChainDraft {
  const { targets, statPrefix, destinationSubnets, place } = route;
  const connections = connectionsOf(targets[0]?.policy);
  const dynamicPort = targets.find((target) => target.dynamicPort !== undefined)?.dynamicPort;
  return {
    match: withSubnets(match, destinationSubnets.length > 0 ? destinationSubnets : context.subnets),
    filters: buildFilters({ statPrefix, clusters: targets, connections, dynamicPort }, context),
    needs: targets.map(({ cluster }) => clusterRef(cluster)),
    origins: [originOf(place.object, place.path)],
    place,
    config: place.object,
  };
}

function buildOwnChain({ at, subnets, bySni }: L4Member, settings: ConnectionSettings): BuiltChains {
  const { names, unusable } = serverNamesOf(bySni ? [at.service.hostname] : []);
  if (unusable.length > 0) return { drafts: [], diagnostics: [tellUnusable(unusable, portPlace(at))] };
  const cluster = outboundClusterName(at.port.port, '', at.service.hostname);
  const connections = connectionsOf(effectivePolicy(at.rule, at.port.port));
  const dynamicPort = at.service.resolution.kind === 'dynamic-dns' ? at.port.port : undefined;
  const draft: ChainDraft = {
    match: withSubnets(names.length > 0 ? { serverNames: names } : {}, subnets),
    filters: buildFilters(
      { statPrefix: cluster, clusters: [{ cluster, weight: 1 }], connections, dynamicPort },
      { protocol: at.port.protocol, subnets, settings },
    ),
    needs: [clusterRef(cluster)],
    origins: [portOrigin(at)],
    place: portPlace(at),
  };
  return { drafts: [draft], diagnostics: [] };
}

function tellUnusable(hosts: readonly string[], place: Place): Diagnostic {
  const message = `${hosts.join(', ')} is no server name or *. and a suffix, so no connection matches it`;
  return diagnoseListener('warning', 'XEB2303', place, message);
}

function withSubnets(match: ChainMatch, subnets: readonly string[]): ChainMatch {
  return subnets.length === 0 ? match : { ...match, subnets };
}

/**
 * Envoy does not step back: bytes in a block of addresses that are no HTTP would find the block's HTTP chain, not match it, and be
 * lost. So beside HTTP the block's TCP chain says which transports it takes.
 */
function splitSniffed({ sniffed, subnets }: L4Member, draft: ChainDraft): readonly ChainDraft[] {
  if (sniffed === undefined || subnets.length === 0 || draft.match.serverNames !== undefined) return [draft];
  return (['raw_buffer', 'tls'] as const).map((transport) => ({ ...draft, match: { ...draft.match, transport } }));
}

type Target = Omit<Parameters<typeof buildTcpProxy>[0], 'settings'> & { readonly dynamicPort: number | undefined };

function buildFilters(
  { dynamicPort, ...target }: Target,
  { protocol, settings }: RouteContext,
): readonly ConfigListenerFilter[] {
  const proxy = buildTcpProxy({ ...target, settings });
  if (dynamicPort !== undefined) return [buildServerNameResolver(dynamicPort), proxy];
  return protocol === 'Mongo' ? [buildMongoProxy(target.statPrefix), proxy] : [proxy];
}
