import type { ConfigListenerFilter, RouteConfiguration } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { BLACK_HOLE_CLUSTER, type ClusterName, INBOUND_PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import type { Protocol } from '../../../model/service.ts';
import type { Origin } from '../../../xds/resource.ts';
import { clusterRef, originOf } from '../built.ts';
import { buildHttpManager } from '../filters/http-connection-manager.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildMongoProxy, buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import { saidOfPort } from '../peer/plan.ts';
import { buildMutualTlsServer } from '../peer/server.ts';
import type { ProxyTraits } from '../plan.ts';
import { buildInboundRoute } from '../route/inbound.ts';
import { buildHttpSecurity, buildTcpSecurity, type SecuritySite, type WorkloadSecurity } from '../security.ts';
import type { ChainDraft } from './chain.ts';
import { diagnoseListener } from './codes.ts';
import type { InboundRow } from './inbound-match.ts';
import type { InboundPort } from './inbound-plan.ts';
import { buildPassthroughRoute } from './inbound-route.ts';
import { type PortRows, rowsOf } from './inbound-rows.ts';
import { listenerName } from './outbound-draft.ts';
import { WILDCARD_ADDRESS } from './outbound-plan.ts';
import { listenProtocol } from './ports.ts';

/** What all chains of one workload are made with. */
export type InboundContext = {
  readonly settings: ListenerSettings;
  readonly traits: ProxyTraits;
  readonly security: WorkloadSecurity;
};

export type InboundChains = { readonly drafts: readonly ChainDraft[]; readonly diagnostics: readonly Diagnostic[] };

/** `bound`: on a socket of its own, where the port need not be matched. */
export function buildPortChains(
  port: InboundPort,
  context: InboundContext,
  { bound }: { readonly bound: boolean },
): InboundChains {
  const protocol = listenProtocol(port);
  const name = listenerName(WILDCARD_ADDRESS, port.port);
  const target: Target = {
    name,
    cluster: port.cluster,
    route: buildInboundRoute({ targetPort: port.port, member: port.member }),
    protocol,
    port: port.port,
    member: port.member,
    origins: port.origins,
  };
  const site = bound ? {} : { destinationPort: port.port };
  const rows = portRows(context, { protocol, port: port.port });
  if (rows.kind === 'closed') return closedPort(target, context, { name, match: site });
  return joinChains(
    rows.rows.map((row) => buildChain(target, context, { row, name, match: { ...row.match, ...site } })),
  );
}

/** How a port is entered that the workload serves. */
export function portRows(
  { security, traits }: InboundContext,
  { protocol, port }: { readonly protocol: Protocol; readonly port: number | undefined },
): PortRows {
  return rowsOf({ peer: security.peer, traits, protocol, port });
}

/**
 * For ports that no service names: they are passed on as they come, and HTTP is seen for what it is. `unnamed` are those of them that
 * take connections otherwise than the rest.
 */
export function buildPassthroughChains(context: InboundContext, unnamed: readonly number[]): InboundChains {
  return joinChains([undefined, ...unnamed].map((port) => buildPassthrough(context, port)));
}

function buildPassthrough(context: InboundContext, port: number | undefined): InboundChains {
  const target: Target = {
    name: WILDCARD_ADDRESS,
    route: buildPassthroughRoute(INBOUND_PASSTHROUGH_CLUSTER),
    cluster: INBOUND_PASSTHROUGH_CLUSTER,
    protocol: port === undefined ? 'auto' : listenProtocol({ port, protocol: 'auto' }),
    port,
    member: undefined,
    origins: [],
  };
  const site = port === undefined ? {} : { destinationPort: port };
  const rows = portRows(context, target);
  if (rows.kind === 'closed') return closedPort(target, context, { name: 'virtualInbound', match: site });
  const named = rows.rows.map((row) => ({
    row,
    name: row.serves === 'http' ? 'virtualInbound-catchall-http' : 'virtualInbound',
    match: { ...row.match, ...site },
  }));
  return joinChains(named.reverse().map((chain) => buildChain(target, context, chain)));
}

/** Without a chain of its own the port would be passed through with those that nobody names. */
function closedPort(
  { port, origins }: Target,
  { settings, security: { peer } }: InboundContext,
  { name, match }: Pick<ChainSketch, 'name' | 'match'>,
): InboundChains {
  const said = saidOfPort(peer, port);
  const what = port === undefined ? 'the workload’s ports' : `port ${port}`;
  const draft: ChainDraft = {
    name,
    match,
    filters: [buildPlainTcpProxy(BLACK_HOLE_CLUSTER, settings)],
    needs: [clusterRef(BLACK_HOLE_CLUSTER)],
    origins: [...origins, ...saidOrigins(said)],
    place: undefined,
  };
  const message = `a workload has no certificates to prove itself with, so ${what} cannot take mutual TLS and is closed`;
  return {
    drafts: [draft],
    diagnostics: said === undefined ? [] : [diagnoseListener('error', 'XEB2308', said, message)],
  };
}

function saidOrigins(said: ReturnType<typeof saidOfPort>): readonly Origin[] {
  return said === undefined ? [] : [originOf(said.object, said.path)];
}

type Target = {
  readonly name: string;
  readonly route: RouteConfiguration;
  readonly cluster: ClusterName;
  readonly protocol: Protocol;
} & Pick<SecuritySite, 'port' | 'member'> &
  Pick<ChainDraft, 'origins'>;

type ChainSketch = { readonly row: InboundRow; readonly name: string; readonly match: ChainDraft['match'] };

function buildChain(target: Target, context: InboundContext, { row, name, match }: ChainSketch): InboundChains {
  const { security } = context;
  const { port, member } = target;
  const site: SecuritySite = { direction: 'inbound', port, member, isMutualTls: row.isMutualTls };
  const origins = [...target.origins, ...saidOrigins(saidOfPort(security.peer, port))];
  const transportSocket = row.isMutualTls
    ? buildMutualTlsServer(context.traits.identityFolder, context.settings.mutualTls)
    : undefined;
  const common = { name, match, transportSocket, origins };
  if (row.serves === 'http') {
    const part = buildHttpSecurity(security, site);
    return draftOf({ ...common, filters: [httpFilter(target, context, part.filters)], part });
  }
  const part = buildTcpSecurity(security, site);
  return draftOf({ ...common, filters: [...part.filters, ...tcpFilters(target, context)], part });
}

type DraftInputs = Pick<ChainDraft, 'match' | 'filters' | 'transportSocket'> & {
  readonly name: string;
  readonly part: Pick<ReturnType<typeof buildHttpSecurity>, 'needs' | 'origins' | 'diagnostics'>;
  readonly origins: readonly Origin[];
};

function draftOf({ part, origins, ...chain }: DraftInputs): InboundChains {
  const draft = { ...chain, needs: part.needs, origins: [...origins, ...part.origins], place: undefined };
  return { drafts: [draft], diagnostics: part.diagnostics };
}

function joinChains(parts: readonly InboundChains[]): InboundChains {
  return {
    drafts: parts.flatMap(({ drafts }) => drafts),
    diagnostics: parts.flatMap(({ diagnostics }) => diagnostics),
  };
}

function httpFilter(
  { name, route, protocol }: Target,
  { settings, traits }: InboundContext,
  security: Parameters<typeof buildHttpManager>[0]['security'],
): ConfigListenerFilter {
  return buildHttpManager({
    direction: 'inbound',
    statPrefix: `inbound_${name}`,
    routes: { kind: 'inline', configuration: route },
    settings,
    http10: traits.http10,
    grpcWeb: protocol === 'GRPC-Web',
    security,
    tellsProtocol: false,
  });
}

function tcpFilters({ cluster, protocol }: Target, { settings }: InboundContext): readonly ConfigListenerFilter[] {
  const proxy = buildPlainTcpProxy(cluster, settings);
  return protocol === 'Mongo' ? [buildMongoProxy(cluster), proxy] : [proxy];
}
