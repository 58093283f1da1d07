import type { Listener, ListenerFilter } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { refOf } from '../../../model/object.ts';
import type { Origin } from '../../../xds/resource.ts';
import { type Built, type ListenerType, originOf, routeRef } from '../built.ts';
import { buildHttpManager } from '../filters/http-connection-manager.ts';
import { buildProxyProtocol, buildTlsInspector } from '../filters/listener-filters.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildChain, type ChainDraft, mergeChains, serverNamesOf } from '../listener/chain.ts';
import { distinctOrigins } from '../listener/origins.ts';
import type { GatewayServerPlan, ProxyTraits, ServiceAtPort } from '../plan.ts';
import { addressOf } from '../protobuf.ts';
import { buildHttpSecurity, buildTcpSecurity, type SecuritySite, type WorkloadSecurity } from '../security.ts';
import { buildConnectionChains } from './connection-chains.ts';
import { type SecretType, secretRef } from './file-secret.ts';
import type { GatewayConnectionPlan, GatewayPortPlan } from './gateway-plan.ts';
import { type BuiltServerTls, buildServerTls, type ServerTlsInputs } from './tls.ts';

export type GatewayListenerInputs = {
  readonly plan: GatewayPortPlan;
  /** Those with TLS or TCP routes that are bound to one of the port's gateways, oldest first. */
  readonly virtualServices: readonly MeshVirtualService[];
  /** Every port of the services these lead to. */
  readonly destinations: readonly ServiceAtPort[];
  readonly traits: ProxyTraits;
  readonly settings: ListenerSettings;
  readonly security: WorkloadSecurity;
};

export type BuiltGateway = {
  /** Undefined where no server of the port can be served. */
  readonly listener: Built<ListenerType> | undefined;
  /** The files that its servers take certificates from. */
  readonly secrets: readonly Built<SecretType>[];
  readonly diagnostics: readonly Diagnostic[];
};

/** One port of a gateway. A server that cannot be served leaves the others of the port as they are. */
export function buildGatewayListener(inputs: GatewayListenerInputs): BuiltGateway {
  const { plan, settings } = inputs;
  const connections = plan.connections.map((connection) => buildServer(inputs, connection));
  const http = plan.http === undefined ? [] : [buildClearHttp(inputs, plan.http)];
  const merged = mergeChains([...http, ...connections.flatMap(({ chains }) => chains)]);
  const secrets = distinctSecrets(connections.flatMap((built) => built.secrets));
  const told = plan.http === undefined ? [] : buildHttpSecurity(inputs.security, siteOf(plan)).diagnostics;
  const diagnostics = [...told, ...connections.flatMap((built) => built.diagnostics), ...merged.diagnostics];
  if (merged.chains.length === 0) return { listener: undefined, secrets: [], diagnostics };
  const listenerFilters = buildListenerFilters(merged.chains, settings);
  const message: Listener = {
    name: plan.name,
    address: addressOf(plan.address, plan.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters,
    accessLog: settings.listenerAccessLog,
    filterChains: merged.chains.map(buildChain),
  };
  const listener = {
    type: 'envoy.config.listener.v3.Listener' as const,
    name: plan.name,
    message,
    needs: merged.chains.flatMap(({ needs }) => needs),
    origins: distinctOrigins(merged.chains.flatMap(({ origins }) => origins)),
  };
  return { listener, secrets, diagnostics };
}

function buildClearHttp(inputs: GatewayListenerInputs, http: NonNullable<GatewayPortPlan['http']>): ChainDraft {
  const isGrpcWeb = http.servers.some(({ server }) => server.port.protocol?.toLowerCase() === 'grpc-web');
  const origins = http.servers.map(serverOrigin);
  return { ...buildHttpChain(inputs, { route: http.route, grpcWeb: isGrpcWeb, origins }), place: undefined };
}

type BuiltServer = {
  readonly chains: readonly ChainDraft[];
  readonly secrets: readonly Built<SecretType>[];
  readonly diagnostics: readonly Diagnostic[];
};

function buildServer(inputs: GatewayListenerInputs, connection: GatewayConnectionPlan): BuiltServer {
  const { serves, server } = connection;
  const origins = [serverOrigin(server)];
  switch (serves.kind) {
    case 'tcp':
    case 'passthrough':
      return { secrets: [], ...buildGuardedConnections(inputs, connection) };
    case 'https':
      return buildTerminated(connection, { files: serves.files, alpn: ['h2', 'http/1.1'] }, () => ({
        diagnostics: buildHttpSecurity(inputs.security, siteOf(inputs.plan)).diagnostics,
        chains: [
          { ...buildHttpChain(inputs, { route: serves.route, grpcWeb: false, origins }), place: serverPlace(server) },
        ],
      }));
    case 'tls':
      return buildTerminated(connection, { files: serves.files, alpn: [] }, () =>
        buildGuardedConnections(inputs, connection),
      );
  }
}

/** Connections pass what protects the gateway before they are passed on. */
function buildGuardedConnections(inputs: GatewayListenerInputs, connection: GatewayConnectionPlan): Chains {
  const part = buildTcpSecurity(inputs.security, siteOf(inputs.plan));
  const built = buildConnectionChains({ ...inputs, connection, port: portNumber(connection.server) });
  const chains = built.chains.map((chain) => ({
    ...chain,
    filters: [...part.filters, ...chain.filters],
    needs: [...chain.needs, ...part.needs],
    origins: [...chain.origins, ...part.origins],
  }));
  return { chains, diagnostics: [...built.diagnostics, ...part.diagnostics] };
}

type Chains = Pick<BuiltServer, 'chains' | 'diagnostics'>;

function buildTerminated(
  { server, serverNames }: GatewayConnectionPlan,
  asks: Pick<ServerTlsInputs, 'files' | 'alpn'>,
  buildInside: () => Chains,
): BuiltServer {
  const { names } = serverNamesOf(serverNames);
  const built = buildServerTls({ ...asks, tls: server.server.tls ?? {}, origins: [serverOrigin(server)] });
  const inside = buildInside();
  return {
    chains: inside.chains.map((chain) => addTls(chain, built, names)),
    secrets: built.secrets,
    diagnostics: inside.diagnostics,
  };
}

function addTls(chain: ChainDraft, tls: BuiltServerTls, names: readonly string[]): ChainDraft {
  return {
    ...chain,
    match: names.length === 0 ? chain.match : { ...chain.match, serverNames: names },
    transportSocket: tls.transportSocket,
    needs: [...chain.needs, ...tls.secrets.map(({ name }) => secretRef(name))],
  };
}

type HttpChain = { readonly route: string; readonly grpcWeb: boolean; readonly origins: readonly Origin[] };

function buildHttpChain(
  inputs: GatewayListenerInputs,
  { route, grpcWeb, origins }: HttpChain,
): Omit<ChainDraft, 'place'> {
  const { plan, settings, traits, security } = inputs;
  const part = buildHttpSecurity(security, siteOf(plan));
  const manager = buildHttpManager({
    direction: 'gateway',
    statPrefix: `outbound_${plan.name}`,
    routes: { kind: 'rds', name: route },
    settings,
    http10: traits.http10,
    grpcWeb,
    security: part.filters,
    tellsProtocol: traits.identityFolder !== '',
  });
  return {
    match: {},
    filters: [manager],
    needs: [routeRef(route), ...part.needs],
    origins: [...origins, ...part.origins],
  };
}

function siteOf({ port }: GatewayPortPlan): SecuritySite {
  return { direction: 'gateway', port, member: undefined, isMutualTls: false };
}

function buildListenerFilters(chains: readonly ChainDraft[], settings: ListenerSettings): readonly ListenerFilter[] {
  const filters: ListenerFilter[] = [];
  if (settings.gatewayTopology.proxyProtocol !== undefined) filters.push(buildProxyProtocol());
  const asksTls = chains.some(({ match, transportSocket }) => {
    return transportSocket !== undefined || match.serverNames !== undefined || match.transport !== undefined;
  });
  if (asksTls) filters.push(buildTlsInspector());
  return filters;
}

function distinctSecrets(secrets: readonly Built<SecretType>[]): readonly Built<SecretType>[] {
  const byName = new Map<string, Built<SecretType>>();
  for (const secret of secrets) {
    const known = byName.get(secret.name);
    const origins = known === undefined ? secret.origins : distinctOrigins([...known.origins, ...secret.origins]);
    byName.set(secret.name, { ...secret, origins });
  }
  return [...byName.values()];
}

function portNumber({ server }: GatewayServerPlan): number {
  return server.port.number ?? 0;
}

function serverPlace({ gateway, index }: GatewayServerPlan) {
  return { object: refOf(gateway), path: `spec.servers[${index}]` };
}

function serverOrigin(server: GatewayServerPlan): Origin {
  const { object, path } = serverPlace(server);
  return originOf(object, path);
}
