import type { ConfigListenerFilter, TcpProxy, TcpProxy_TunnelingConfig } from '../../../gen/types.ts';
import type { ClusterName } from '../../../model/ids.ts';
import { dynamicDnsCache } from '../cluster/discovery.ts';
import type { EffectivePolicy, Tunnel } from '../policy/effective-policy.ts';
import { hashesSourceIp } from '../policy/hash-policy.ts';
import { durationOf, extension } from '../protobuf.ts';
import type { ListenerSettings } from './settings.ts';

/** How a DestinationRule wants the connections of a TCP destination kept. */
export type TcpConnections = {
  readonly idleTimeout: string | undefined;
  readonly maxConnectionDuration: string | undefined;
  readonly hashSourceIp: boolean;
  readonly tunnel: Tunnel | undefined;
};

const plainConnections: TcpConnections = {
  idleTimeout: undefined,
  maxConnectionDuration: undefined,
  hashSourceIp: false,
  tunnel: undefined,
};

export function connectionsOf(policy: EffectivePolicy | undefined): TcpConnections {
  if (policy === undefined) return plainConnections;
  const tcp = policy.connectionPool?.spec.tcp;
  return {
    idleTimeout: tcp?.idleTimeout,
    maxConnectionDuration: tcp?.maxConnectionDuration,
    hashSourceIp: hashesSourceIp(policy.loadBalancer?.spec),
    tunnel: policy.tunnel?.spec,
  };
}

export type WeightedCluster = { readonly cluster: ClusterName; readonly weight: number };

export type TcpProxyInputs = {
  /** Names the statistics; the cluster's name where there is one cluster. */
  readonly statPrefix: string;
  /** At least one. */
  readonly clusters: readonly WeightedCluster[];
  readonly connections: TcpConnections;
  readonly settings: ConnectionSettings;
};

export type ConnectionSettings = Pick<ListenerSettings, 'accessLog' | 'idleTimeout'>;

export function buildTcpProxy(inputs: TcpProxyInputs): ConfigListenerFilter {
  const { connections, settings } = inputs;
  const message: TcpProxy = {
    statPrefix: inputs.statPrefix,
    ...buildTarget(inputs.clusters),
    idleTimeout: durationOf(connections.idleTimeout) ?? settings.idleTimeout,
    maxDownstreamConnectionDuration: durationOf(connections.maxConnectionDuration),
    hashPolicy: connections.hashSourceIp ? [{ sourceIp: {} }] : undefined,
    tunnelingConfig: buildTunnel(connections.tunnel),
    accessLog: settings.accessLog,
  };
  return extension(
    'envoy.filters.network.tcp_proxy',
    'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
    message,
  );
}

/** A TCP proxy for a destination without any rule. */
export function buildPlainTcpProxy(cluster: ClusterName, settings: ConnectionSettings): ConfigListenerFilter {
  return buildTcpProxy({
    statPrefix: cluster,
    clusters: [{ cluster, weight: 1 }],
    connections: plainConnections,
    settings,
  });
}

/** Resolves the server name of TLS for a cluster that takes its endpoints from requests: by itself that would dial port 80. */
export function buildServerNameResolver(port: number): ConfigListenerFilter {
  return extension(
    'envoy.filters.network.sni_dynamic_forward_proxy',
    'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig',
    { dnsCacheConfig: dynamicDnsCache, portValue: port },
  );
}

/** Reads the protocol for its statistics, and passes it on untouched. */
export function buildMongoProxy(statPrefix: string): ConfigListenerFilter {
  return extension('envoy.filters.network.mongo_proxy', 'envoy.extensions.filters.network.mongo_proxy.v3.MongoProxy', {
    statPrefix,
  });
}

type Target = { readonly cluster: string } | { readonly weightedClusters: WeightedClusters };
type WeightedClusters = { readonly clusters: readonly { readonly name: string; readonly weight: number }[] };

function buildTarget(clusters: readonly WeightedCluster[]): Target {
  const used = clusters.filter(({ weight }) => weight > 0);
  const [only, second] = used;
  if (only !== undefined && second === undefined) return { cluster: only.cluster };
  const weighted = used.map(({ cluster, weight }) => ({ name: cluster, weight }));
  return { weightedClusters: { clusters: weighted } };
}

/** The connection becomes a request to another proxy, which makes the real one. */
function buildTunnel(tunnel: TcpConnections['tunnel']): TcpProxy_TunnelingConfig | undefined {
  if (tunnel === undefined) return undefined;
  return { hostname: `${tunnel.targetHost}:${tunnel.targetPort}`, usePost: tunnel.protocol === 'POST' };
}
