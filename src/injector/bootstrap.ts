import { isIP } from 'node:net';
import type { Locality } from '../model/service.ts';
import { buildAdminListeners } from './bootstrap-listeners.ts';
import { buildStatsConfig, type StatsInclusion } from './bootstrap-stats.ts';
import type { Json, JsonObject } from './json.ts';

/** How Envoy reaches the control plane. */
export type Discovery = {
  readonly host: string;
  readonly port: number;
  readonly security: DiscoverySecurity;
};

/** The identity files are Citadel's, read by file-based SDS, so that rotation needs no restart. */
export type DiscoverySecurity =
  | { readonly kind: 'plaintext' }
  | { readonly kind: 'mutual-tls'; readonly folder: string; readonly serverNames: readonly string[] };

/**
 * Everything a bootstrap depends on. Texts may hold `$(VAR)` of the kubelet, which fills them in when the pod starts;
 * so nothing here is looked up, and the same inputs give the same text.
 */
export type BootstrapInputs = {
  readonly kind: 'sidecar' | 'router';
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly [string, ...string[]];
  /** The DNS suffix of the Kubernetes cluster, such as `cluster.local`. */
  readonly domain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly workloadName: string;
  readonly clusterId: string;
  readonly network: string;
  readonly locality: Locality | undefined;
  readonly interception: 'REDIRECT' | 'TPROXY' | 'NONE';
  readonly dnsCapture: boolean;
  readonly podPorts: readonly { readonly name: string; readonly containerPort: number; readonly protocol: string }[];
  readonly nodeName: string;
  readonly version: string;
  readonly discovery: Discovery;
  readonly stats: StatsInclusion;
  /** A unix socket that leads to Envoy's admin port, for a controller on the same machine. */
  readonly adminSocket: string | undefined;
  /** Limits after which Envoy sheds load rather than die; meant for gateways. */
  readonly overload: { readonly maxHeapBytes: number; readonly maxConnections: number } | undefined;
};

export const ADMIN_PORT = 15000;
const DISCOVERY_CLUSTER = 'xds-grpc';

/** `sidecar~10.0.0.7~reviews-v1-x.shop~shop.svc.cluster.local` */
export function buildNodeId({ kind, addresses, name, namespace, domain }: BootstrapInputs): string {
  return [kind, addresses[0], `${name}.${namespace}`, `${namespace}.svc.${domain}`].join('~');
}

/** The bootstrap of a stock Envoy that takes everything else from the control plane. */
export function renderBootstrap(inputs: BootstrapInputs): JsonObject {
  return {
    node: buildNode(inputs),
    admin: { address: socketAddress('127.0.0.1', ADMIN_PORT) },
    dynamic_resources: {
      lds_config: fromAds(),
      cds_config: fromAds(),
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: DISCOVERY_CLUSTER } }],
      },
    },
    static_resources: {
      clusters: [buildAdminCluster(), buildDiscoveryCluster(inputs.discovery)],
      listeners: buildAdminListeners({ adminSocket: inputs.adminSocket }),
    },
    ...buildStatsConfig(inputs.stats),
    layered_runtime: {
      layers: [
        { name: 'global', static_layer: { 're2.max_program_size.error_level': 32_768 } },
        { name: 'admin', admin_layer: {} },
      ],
    },
    overload_manager: buildOverloadManager(inputs.overload),
  };
}

function buildNode(inputs: BootstrapInputs): JsonObject {
  const { locality } = inputs;
  return {
    id: buildNodeId(inputs),
    cluster: `${inputs.labels['app'] ?? inputs.workloadName}.${inputs.namespace}`,
    ...(locality === undefined
      ? {}
      : { locality: { region: locality.region, zone: locality.zone, sub_zone: locality.subzone } }),
    metadata: {
      NAME: inputs.name,
      NAMESPACE: inputs.namespace,
      INSTANCE_IPS: inputs.addresses.join(','),
      LABELS: { ...inputs.labels },
      SERVICE_ACCOUNT: inputs.serviceAccount,
      WORKLOAD_NAME: inputs.workloadName,
      CLUSTER_ID: inputs.clusterId,
      ...(inputs.network === '' ? {} : { NETWORK: inputs.network }),
      ...(inputs.nodeName === '' ? {} : { NODE_NAME: inputs.nodeName }),
      ISTIO_VERSION: inputs.version,
      INTERCEPTION_MODE: inputs.interception,
      ...(inputs.dnsCapture ? { DNS_CAPTURE: 'true' } : {}),
      POD_PORTS: JSON.stringify(inputs.podPorts),
      ...(inputs.discovery.security.kind === 'mutual-tls' ? { IDENTITY_FOLDER: inputs.discovery.security.folder } : {}),
    },
  };
}

/** Without a deadline: an Envoy that has not heard from the control plane is not ready, rather than empty. */
function fromAds(): JsonObject {
  return { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' };
}

function buildAdminCluster(): JsonObject {
  return {
    name: 'prometheus_stats',
    type: 'STATIC',
    connect_timeout: '0.250s',
    load_assignment: buildAssignment('prometheus_stats', '127.0.0.1', ADMIN_PORT),
  };
}

function buildDiscoveryCluster({ host, port, security }: Discovery): JsonObject {
  return {
    name: DISCOVERY_CLUSTER,
    type: isIP(host) === 0 ? 'STRICT_DNS' : 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          // A control plane that vanished without closing is noticed, and the next one found, in 40 s.
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '10s' } },
        },
      },
    },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 300 } },
    circuit_breakers: {
      thresholds: [
        { priority: 'DEFAULT', max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000 },
        { priority: 'HIGH', max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000 },
      ],
    },
    load_assignment: buildAssignment(DISCOVERY_CLUSTER, host, port),
    ...(security.kind === 'plaintext' ? {} : { transport_socket: buildMutualTls(security) }),
  };
}

function buildMutualTls(security: Extract<DiscoverySecurity, { kind: 'mutual-tls' }>): JsonObject {
  const fromFile = (name: string, file: string): JsonObject => ({
    name,
    sds_config: {
      path_config_source: {
        path: `${security.folder}/${file}`,
        watched_directory: { path: security.folder },
      },
      resource_api_version: 'V3',
    },
  });
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      ...(security.serverNames[0] === undefined ? {} : { sni: security.serverNames[0] }),
      common_tls_context: {
        alpn_protocols: ['h2'],
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        tls_certificate_sds_secret_configs: [fromFile('default', 'sds-cert.yaml')],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: security.serverNames.map((exact) => ({
              san_type: 'DNS',
              matcher: { exact },
            })),
          },
          validation_context_sds_secret_config: fromFile('ROOTCA', 'sds-root.yaml'),
        },
      },
    },
  };
}

function buildOverloadManager(overload: BootstrapInputs['overload']): JsonObject {
  // Without any limit Envoy warns that it has none; this is what it assumes anyway.
  const maxConnections = overload?.maxConnections ?? 2_147_483_647;
  const connections = typedMonitor('downstream_connections', 'DownstreamConnectionsConfig', {
    max_active_downstream_connections: maxConnections,
  });
  if (overload === undefined) return { resource_monitors: [connections] };
  return {
    refresh_interval: '0.25s',
    resource_monitors: [
      connections,
      typedMonitor('fixed_heap', 'FixedHeapConfig', { max_heap_size_bytes: overload.maxHeapBytes }),
    ],
    actions: [
      { name: 'envoy.overload_actions.shrink_heap', triggers: [heapThreshold(0.95)] },
      { name: 'envoy.overload_actions.stop_accepting_requests', triggers: [heapThreshold(0.98)] },
    ],
  };
}

function heapThreshold(value: number): JsonObject {
  return { name: 'envoy.resource_monitors.fixed_heap', threshold: { value } };
}

function typedMonitor(name: string, type: string, config: JsonObject): JsonObject {
  const typeUrl = `type.googleapis.com/envoy.extensions.resource_monitors.${name}.v3.${type}`;
  const monitor = name === 'downstream_connections' ? 'global_downstream_max_connections' : name;
  return { name: `envoy.resource_monitors.${monitor}`, typed_config: { '@type': typeUrl, ...config } };
}

function buildAssignment(clusterName: string, host: string, port: number): JsonObject {
  const address: Json = socketAddress(host, port);
  return { cluster_name: clusterName, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}

function socketAddress(address: string, port: number): JsonObject {
  return { socket_address: { address, port_value: port } };
}
