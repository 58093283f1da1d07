import { hostMatches, hostSubsetOf } from '../../../apis/host.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { refOf } from '../../../model/object.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import type { ChainDraft } from '../listener/chain.ts';
import { diagnoseListener } from '../listener/codes.ts';
import { buildRouteChain, buildTlsChains, type RouteContext } from '../listener/l4-chains.ts';
import type { ProxyTraits, ServiceAtPort } from '../plan.ts';
import type { Client } from '../route/applies.ts';
import { type L4Route, matchTcpRoutes, matchTlsRoutes } from '../route/l4.ts';
import type { GatewayConnectionPlan } from './gateway-plan.ts';

export type ConnectionChainsInputs = {
  readonly connection: GatewayConnectionPlan;
  /** The server's port in its Gateway. */
  readonly port: number;
  readonly virtualServices: readonly MeshVirtualService[];
  readonly destinations: readonly ServiceAtPort[];
  readonly traits: ProxyTraits;
  readonly settings: ListenerSettings;
};

type BuiltConnection = { readonly chains: readonly ChainDraft[]; readonly diagnostics: readonly Diagnostic[] };

/** What a server without HTTP does with a connection: the routes of the VirtualServices bound to it say. */
export function buildConnectionChains(inputs: ConnectionChainsInputs): BuiltConnection {
  const { connection, virtualServices, destinations } = inputs;
  const client = clientOf(inputs);
  const bound = virtualServices.filter((virtualService) => isBound(virtualService, connection, client));
  const context: RouteContext = {
    protocol: connection.protocol,
    subnets: [],
    settings: inputs.settings,
  };
  const matched = { virtualServices: bound, client, destinations };
  const built =
    connection.serves.kind === 'passthrough' ? buildPassthrough(inputs, matched, context) : buildTcp(matched, context);
  const diagnostics = built.chains.length > 0 ? built.diagnostics : [...built.diagnostics, tellUnrouted(connection)];
  return { chains: built.chains, diagnostics };
}

type Matched = Parameters<typeof matchTlsRoutes>[0];

function buildPassthrough(inputs: ConnectionChainsInputs, matched: Matched, context: RouteContext): BuiltConnection {
  const { routes, diagnostics } = matchTlsRoutes(matched);
  const allowed = routes.map((route) => withinServer(route, inputs.connection)).filter((route) => route !== undefined);
  const built = buildTlsChains(allowed, context);
  return { chains: built.drafts, diagnostics: [...diagnostics, ...built.diagnostics] };
}

/** The first route that applies, and all of its blocks before it. */
function buildTcp(matched: Matched, context: RouteContext): BuiltConnection {
  const { routes, diagnostics } = matchTcpRoutes(matched);
  return { chains: routes.map((route) => buildRouteChain(route, context, {})), diagnostics };
}

/** What a route and its server have in common: a route must not take more than the Gateway gives. */
function withinServer(route: L4Route, { serverNames }: GatewayConnectionPlan): L4Route | undefined {
  if (serverNames.length === 0) return route;
  const common = route.sniHosts.flatMap((host) => serverNames.flatMap((name) => narrower(host, name) ?? []));
  return common.length === 0 ? undefined : { ...route, sniHosts: [...new Set(common)] };
}

function narrower(a: string, b: string): string | undefined {
  if (hostSubsetOf(a, b)) return a;
  return hostSubsetOf(b, a) ? b : undefined;
}

function clientOf({ connection, port, traits }: ConnectionChainsInputs): Client {
  const { namespace, name } = connection.server.gateway.meta;
  return { gateways: [`${namespace}/${name}`], port, namespace: traits.namespace, labels: traits.labels };
}

/** By the Gateway's name, by a host of the server, and by the namespaces the server lets in. */
function isBound(virtualService: MeshVirtualService, { server }: GatewayConnectionPlan, client: Client): boolean {
  if (!virtualService.gateways.some((gateway) => client.gateways.includes(gateway))) return false;
  const { namespace } = virtualService.object.meta;
  return server.hosts.some(
    (allowed) =>
      (allowed.namespace === undefined || allowed.namespace === namespace) &&
      virtualService.hosts.some((host) => hostMatches(host, allowed.host)),
  );
}

function tellUnrouted({ server, serves }: GatewayConnectionPlan): Diagnostic {
  const list = serves.kind === 'passthrough' ? 'tls' : 'tcp';
  const message = `no VirtualService bound to this server has a ${list} route for it, so its connections are closed`;
  const place = { object: refOf(server.gateway), path: `spec.servers[${server.index}]` };
  return diagnoseListener('info', 'XEB2404', place, message);
}
