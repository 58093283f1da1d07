import type { ConfigListenerFilter, RouteConfiguration } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type ClusterName, INBOUND_PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import type { Protocol } from '../../../model/service.ts';
import type { Origin } from '../../../xds/resource.ts';
import { buildHttpManager } from '../filters/http-connection-manager.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildMongoProxy, buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import type { ProxyTraits } from '../plan.ts';
import { buildInboundRoute } from '../route/inbound.ts';
import { buildHttpSecurity, buildTcpSecurity, type SecuritySite, type WorkloadSecurity } from '../security.ts';
import type { ChainDraft } from './chain.ts';
import { type InboundRow, type InboundTlsMode, inboundRows } from './inbound-match.ts';
import type { InboundPort } from './inbound-plan.ts';
import { buildPassthroughRoute } from './inbound-route.ts';
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
  const mode = modeOf(context, port.port);
  const rows = inboundRows({ protocol, mode, http10: context.traits.http10 });
  return joinChains(
    rows.map((row) =>
      buildChain(target, context, {
        row,
        name,
        match: bound ? row.match : { ...row.match, destinationPort: port.port },
      }),
    ),
  );
}

/** For ports that no service names: they are passed on as they come, and HTTP is seen for what it is. */
export function buildPassthroughChains(context: InboundContext): InboundChains {
  const target: Target = {
    name: WILDCARD_ADDRESS,
    route: buildPassthroughRoute(INBOUND_PASSTHROUGH_CLUSTER),
    cluster: INBOUND_PASSTHROUGH_CLUSTER,
    protocol: 'auto',
    port: undefined,
    member: undefined,
    origins: [],
  };
  const rows = inboundRows({ protocol: 'auto', mode: context.security.peer.mode, http10: context.traits.http10 });
  const named = rows.map((row) => ({
    row,
    name: row.serves === 'http' ? 'virtualInbound-catchall-http' : 'virtualInbound',
    match: row.match,
  }));
  return joinChains(named.reverse().map((chain) => buildChain(target, context, chain)));
}

function modeOf({ security: { peer } }: InboundContext, port: number): InboundTlsMode {
  return peer.ports.get(port) ?? peer.mode;
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
  if (row.serves === 'http') {
    const part = buildHttpSecurity(security, site);
    const filters = [httpFilter(target, context, part.filters)];
    return draftOf({ name, match, filters, part, origins: target.origins });
  }
  const part = buildTcpSecurity(security, site);
  return draftOf({
    name,
    match,
    filters: [...part.filters, ...tcpFilters(target, context)],
    part,
    origins: target.origins,
  });
}

type DraftInputs = Pick<ChainDraft, 'match' | 'filters'> & {
  readonly name: string;
  readonly part: Pick<ReturnType<typeof buildHttpSecurity>, 'needs' | 'origins' | 'diagnostics'>;
  readonly origins: readonly Origin[];
};

function draftOf({ name, match, filters, part, origins }: DraftInputs): InboundChains {
  const draft = { name, match, filters, needs: part.needs, origins: [...origins, ...part.origins], place: undefined };
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
  });
}

function tcpFilters({ cluster, protocol }: Target, { settings }: InboundContext): readonly ConfigListenerFilter[] {
  const proxy = buildPlainTcpProxy(cluster, settings);
  return protocol === 'Mongo' ? [buildMongoProxy(cluster), proxy] : [proxy];
}
