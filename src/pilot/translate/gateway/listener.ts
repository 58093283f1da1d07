import type { Listener, ListenerFilter } from '../../../gen/types.ts';
import { TrafficDirection } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { GatewaySecret } from '../../../model/gateway-secret.ts';
import { BLACK_HOLE_CLUSTER } from '../../../model/ids.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { refOf } from '../../../model/object.ts';
import type { Origin } from '../../../xds/resource.ts';
import { type Built, clusterRef, type ListenerType, originOf, routeRef } from '../built.ts';
import { buildHttpManager } from '../filters/http-connection-manager.ts';
import { buildProxyProtocol, buildTlsInspector } from '../filters/listener-filters.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import { buildChain, type ChainDraft, mergeChains, serverNamesOf } from '../listener/chain.ts';
import { diagnoseListener } from '../listener/codes.ts';
import { distinctOrigins } from '../listener/origins.ts';
import type { GatewayServerPlan, ProxyTraits, ServiceAtPort } from '../plan.ts';
import { addressOf } from '../protobuf.ts';
import { type SecretType, secretRef } from '../secret/file-secret.ts';
import { buildHttpSecurity, buildTcpSecurity, type SecuritySite, type WorkloadSecurity } from '../security.ts';
import { buildSniChains } from './auto-passthrough.ts';
import { buildConnectionChains } from './connection-chains.ts';
import type { GatewayConnectionPlan, GatewayPortPlan } from './gateway-plan.ts';
import { type BuiltServerTls, buildServerTls, type ServerTlsSite } from './tls.ts';
import type { TlsDefaults } from './tls-parameters.ts';

export type GatewayListenerInputs = {
  readonly plan: GatewayPortPlan;
  /** Those with TLS or TCP routes that are bound to one of the port's gateways, oldest first. */
  readonly virtualServices: readonly MeshVirtualService[];
  /** Every port of the services these lead to. */
  readonly destinations: readonly ServiceAtPort[];
  readonly traits: ProxyTraits;
  readonly settings: ListenerSettings;
  readonly security: WorkloadSecurity;
  /** Those that the port's servers name and that this gateway may use. */
  readonly secrets: readonly GatewaySecret[];
  readonly tlsDefaults: TlsDefaults;
  /** What servers of mode AUTO_PASSTHROUGH let in to. */
  readonly exported: readonly ServiceAtPort[];
};

/** A certificate that a server shows, and what to say once it has ended. */
export type EndingCertificate = { readonly at: number; readonly diagnostic: Diagnostic };

export type BuiltGateway = {
  /** Undefined where no server of the port can be served. */
  readonly listener: Built<ListenerType> | undefined;
  /** What its servers show, and whom they trust. */
  readonly secrets: readonly Built<SecretType>[];
  readonly diagnostics: readonly Diagnostic[];
  readonly endings: readonly EndingCertificate[];
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
  if (merged.chains.length === 0) return { listener: undefined, secrets: [], diagnostics, endings: [] };
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
  return { listener, secrets, diagnostics, endings: connections.flatMap(({ endings }) => endings) };
}

function buildClearHttp(inputs: GatewayListenerInputs, http: NonNullable<GatewayPortPlan['http']>): ChainDraft {
  const isGrpcWeb = http.servers.some(({ server }) => server.port.protocol?.toLowerCase() === 'grpc-web');
  const origins = http.servers.map(serverOrigin);
  return {
    ...buildHttpChain(inputs, { route: http.route, grpcWeb: isGrpcWeb, origins, isMutualTls: false }),
    place: undefined,
  };
}

type BuiltServer = {
  readonly chains: readonly ChainDraft[];
  readonly secrets: readonly Built<SecretType>[];
  readonly diagnostics: readonly Diagnostic[];
  readonly endings: readonly EndingCertificate[];
};

function buildServer(inputs: GatewayListenerInputs, connection: GatewayConnectionPlan): BuiltServer {
  const { serves, server } = connection;
  const origins = [serverOrigin(server)];
  switch (serves.kind) {
    case 'tcp':
    case 'passthrough':
    case 'auto-passthrough':
      return { secrets: [], endings: [], ...buildGuardedConnections(inputs, connection, false) };
    case 'https':
      return buildTerminated(inputs, connection, { serves, alpn: ['h2', 'http/1.1'] }, (isMutualTls) => ({
        diagnostics: buildHttpSecurity(inputs.security, siteOf(inputs.plan, isMutualTls)).diagnostics,
        chains: [
          {
            ...buildHttpChain(inputs, { route: serves.route, grpcWeb: false, origins, isMutualTls }),
            place: serverPlace(server),
          },
        ],
      }));
    case 'tls':
      return buildTerminated(inputs, connection, { serves, alpn: [] }, (isMutualTls) =>
        buildGuardedConnections(inputs, connection, isMutualTls),
      );
  }
}

/** Connections pass what protects the gateway before they are passed on. */
function buildGuardedConnections(
  inputs: GatewayListenerInputs,
  connection: GatewayConnectionPlan,
  isMutualTls: boolean,
): Chains {
  const part = buildTcpSecurity(inputs.security, siteOf(inputs.plan, isMutualTls));
  const built =
    connection.serves.kind === 'auto-passthrough'
      ? buildSniChains({ connection, members: inputs.exported, settings: inputs.settings })
      : buildConnectionChains({ ...inputs, connection, port: portNumber(connection.server) });
  const chains = built.chains.map((chain) => ({
    ...chain,
    filters: [...part.filters, ...chain.filters],
    needs: [...chain.needs, ...part.needs],
    origins: [...chain.origins, ...part.origins],
  }));
  return { chains, diagnostics: [...built.diagnostics, ...part.diagnostics] };
}

type Chains = Pick<BuiltServer, 'chains' | 'diagnostics'>;

type Terminated = {
  readonly serves: Extract<GatewayConnectionPlan['serves'], { readonly certificates: unknown }>;
  readonly alpn: readonly string[];
};

function buildTerminated(
  inputs: GatewayListenerInputs,
  { server, serverNames }: GatewayConnectionPlan,
  { serves: { certificates }, alpn }: Terminated,
  buildInside: (isMutualTls: boolean) => Chains,
): BuiltServer {
  const { names } = serverNamesOf(serverNames);
  const tls = server.server.tls ?? {};
  const origins = [serverOrigin(server)];
  const built = buildServerTls({ tls, certificates, alpn, origins, site: tlsSiteOf(inputs) });
  if (!built.ok) return closed(inputs, { server, names, reason: built.error });
  const { endings, secrets, troubles } = built.value;
  // Who need not show a certificate may be nobody.
  const inside = buildInside(tls.mode === 'MUTUAL' || tls.mode === 'ISTIO_MUTUAL');
  const place = serverPlace(server);
  return {
    chains: inside.chains.map((chain) => addTls(chain, built.value, names)),
    secrets,
    diagnostics: [
      ...troubles.map((message) => diagnoseListener('warning', 'XEB2406', place, message)),
      ...inside.diagnostics,
    ],
    endings: endings.map(({ at, message }) => ({
      at,
      diagnostic: diagnoseListener('warning', 'XEB2407', place, message),
    })),
  };
}

function tlsSiteOf({ traits, settings, secrets, tlsDefaults }: GatewayListenerInputs): ServerTlsSite {
  const { namespace, isProven, identityFolder } = traits;
  return { namespace, isProven, identityFolder, secrets, tlsDefaults, mutualTls: settings.mutualTls };
}

type Unserved = { readonly server: GatewayServerPlan; readonly names: readonly string[]; readonly reason: string };

/** Its connections go nowhere: left out, they would go to a server with a wildcard, under another name's certificate. */
function closed({ settings }: GatewayListenerInputs, { server, names, reason }: Unserved): BuiltServer {
  const place = serverPlace(server);
  const chain: ChainDraft = {
    match: names.length === 0 ? {} : { serverNames: names },
    filters: [buildPlainTcpProxy(BLACK_HOLE_CLUSTER, settings)],
    needs: [clusterRef(BLACK_HOLE_CLUSTER)],
    origins: [serverOrigin(server)],
    place,
  };
  const diagnostics = [diagnoseListener('warning', 'XEB2405', place, reason)];
  return { chains: [chain], secrets: [], diagnostics, endings: [] };
}

function addTls(chain: ChainDraft, tls: BuiltServerTls, names: readonly string[]): ChainDraft {
  return {
    ...chain,
    match: names.length === 0 ? chain.match : { ...chain.match, serverNames: names },
    transportSocket: tls.transportSocket,
    needs: [...chain.needs, ...tls.secrets.map(({ name }) => secretRef(name))],
  };
}

type HttpChain = {
  readonly route: string;
  readonly grpcWeb: boolean;
  readonly origins: readonly Origin[];
  readonly isMutualTls: boolean;
};

function buildHttpChain(
  inputs: GatewayListenerInputs,
  { route, grpcWeb, origins, isMutualTls }: HttpChain,
): Omit<ChainDraft, 'place'> {
  const { plan, settings, traits, security } = inputs;
  const part = buildHttpSecurity(security, siteOf(plan, isMutualTls));
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

function siteOf({ port }: GatewayPortPlan, isMutualTls = false): SecuritySite {
  return { direction: 'gateway', port, member: undefined, isMutualTls };
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
