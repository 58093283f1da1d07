import { hostSubsetOf, isWildcard } from '../../../apis/host.ts';
import type { Cluster } from '../../../gen/types.ts';
import { Cluster_DiscoveryType } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type ClusterName, outboundClusterName } from '../../../model/ids.ts';
import { refOf } from '../../../model/object.ts';
import { assignmentRef, type Built, type ClusterType, clusterRef, originOf } from '../built.ts';
import type { ClusterDefaults } from '../cluster/defaults.ts';
import { buildTcpProxy, type ConnectionSettings, connectionsOf } from '../filters/tcp-proxy.ts';
import type { ChainDraft } from '../listener/chain.ts';
import { diagnoseListener } from '../listener/codes.ts';
import { meshNames } from '../peer/alpn.ts';
import type { ServiceAtPort } from '../plan.ts';
import { buildCircuitBreakers, buildConnectionOptions, connectTimeout } from '../policy/connection-pool.ts';
import { effectivePolicy } from '../policy/effective-policy.ts';
import { buildLoadBalancing } from '../policy/load-balancer.ts';
import { adsSource } from '../protobuf.ts';
import type { GatewayConnectionPlan } from './gateway-plan.ts';

// A client of the mesh writes into the server name which service, port and subset it wants; the gateway passes its TLS on unopened.
// Bulletin 2021-006: only to what a server's hosts say, never to whatever the name says.

/** What a server of mode AUTO_PASSTHROUGH lets in to: services of this mesh, with endpoints, that its hosts name. */
export function exportedBy(
  { serves, server }: GatewayConnectionPlan,
  members: readonly ServiceAtPort[],
): readonly ServiceAtPort[] {
  if (serves.kind !== 'auto-passthrough') return [];
  return members.filter(({ service, port }) => {
    if (service.meshExternal || service.resolution.kind !== 'endpoints' || port.protocol === 'UDP') return false;
    if (isWildcard(service.hostname)) return false;
    return server.hosts.some(
      ({ namespace, host }) =>
        (namespace === undefined || namespace === service.namespace) && hostSubsetOf(service.hostname, host),
    );
  });
}

/** The whole service, and each subset. */
export function subsetsOf({ rule }: ServiceAtPort): readonly string[] {
  return [...new Set(['', ...(rule?.subsets ?? []).map(({ spec }) => spec.name)])];
}

/** `outbound_.80_.v1_.reviews.shop.svc.cluster.local`: the server name, and the name of the cluster that passes it on. */
function sniName({ service, port }: ServiceAtPort, subset: string): ClusterName {
  return `outbound_.${port.port}_.${subset}_.${service.hostname}` as ClusterName;
}

type SniChainsInputs = {
  readonly connection: GatewayConnectionPlan;
  readonly members: readonly ServiceAtPort[];
  readonly settings: ConnectionSettings;
};

export function buildSniChains({ connection, members, settings }: SniChainsInputs): {
  readonly chains: readonly ChainDraft[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const { gateway, index } = connection.server;
  const place = { object: refOf(gateway), path: `spec.servers[${index}]` };
  const exported = exportedBy(connection, members);
  if (exported.length === 0) {
    const message = 'its hosts name no service of the mesh that this gateway sees, so its connections are closed';
    return { chains: [], diagnostics: [diagnoseListener('info', 'XEB2404', place, message)] };
  }
  const chains = exported.flatMap((at) =>
    subsetsOf(at).map((subset): ChainDraft => {
      const cluster = sniName(at, subset);
      const connections = connectionsOf(effectivePolicy(at.rule, at.port.port, subset));
      return {
        // Only the mesh's own TLS: what an application ends itself is not for whoever reaches the gateway.
        match: { serverNames: [cluster], protocols: meshNames },
        filters: [buildTcpProxy({ statPrefix: cluster, clusters: [{ cluster, weight: 1 }], connections, settings })],
        needs: [clusterRef(cluster)],
        origins: [originOf(place.object, place.path)],
        place,
      };
    }),
  );
  return { chains, diagnostics: [] };
}

export type SniClusterInputs = {
  readonly at: ServiceAtPort;
  readonly subset: string;
  readonly defaults: ClusterDefaults;
};

/** The endpoints of the usual cluster, reached without any TLS of the gateway's own: there is the client's already. */
export function buildSniCluster({ at, subset, defaults }: SniClusterInputs): Built<ClusterType> {
  const { service, port, rule } = at;
  const name = sniName(at, subset);
  const serviceName = outboundClusterName(port.port, subset, service.hostname);
  const policy = effectivePolicy(rule, port.port, subset);
  const pool = policy.connectionPool?.spec;
  const message: Cluster = {
    type: Cluster_DiscoveryType.EDS,
    edsClusterConfig: { edsConfig: adsSource, serviceName },
    ...buildLoadBalancing(policy.loadBalancer?.spec, 'router'),
    name,
    connectTimeout: connectTimeout(pool, defaults.connectTimeoutMs),
    circuitBreakers: buildCircuitBreakers(pool, undefined),
    upstreamConnectionOptions: buildConnectionOptions(pool, defaults.tcpKeepalive),
  };
  return {
    type: 'envoy.config.cluster.v3.Cluster',
    name,
    message,
    needs: [assignmentRef(serviceName)],
    origins: [originOf(service.origin, 'spec')],
  };
}
