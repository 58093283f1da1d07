import type { JsonObject } from './json.ts';

/** Where the kubelet (or local mode) asks whether Envoy takes traffic. */
export const HEALTH_PORT = 15021;
export const READY_PATH = '/healthz/ready';
const METRICS_PORT = 15090;
const METRICS_PATH = '/stats/prometheus';
const TYPES = 'type.googleapis.com/envoy.extensions.filters';

/**
 * What is open to others of the admin port: readiness and metrics, one path each, and nothing else.
 * Envoy opens these listeners when clusters and listeners have arrived, so an answer means that configuration is there.
 */
export function buildAdminListeners(inputs: { readonly adminSocket: string | undefined }): readonly JsonObject[] {
  const open = [
    buildPathListener({ name: 'health', port: HEALTH_PORT, path: READY_PATH, adminPath: '/ready' }),
    buildPathListener({ name: 'prometheus', port: METRICS_PORT, path: METRICS_PATH, adminPath: METRICS_PATH }),
  ];
  return inputs.adminSocket === undefined ? open : [...open, buildAdminSocket(inputs.adminSocket)];
}

type PathListenerInputs = {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly adminPath: string;
};

function buildPathListener({ name, port, path, adminPath }: PathListenerInputs): JsonObject {
  const route = {
    match: { path, headers: [{ name: ':method', string_match: { exact: 'GET' } }] },
    route: { cluster: 'prometheus_stats', prefix_rewrite: adminPath, timeout: '10s' },
  };
  return {
    name,
    address: { socket_address: { address: '0.0.0.0', port_value: port } },
    // A server that is overloaded or draining still says how it is.
    bypass_overload_manager: true,
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
              codec_type: 'AUTO',
              stat_prefix: name,
              route_config: { virtual_hosts: [{ name: 'backend', domains: ['*'], routes: [route] }] },
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: { '@type': `${TYPES}.http.router.v3.Router` },
                },
              ],
            },
          },
        ],
      },
    ],
  };
}

function buildAdminSocket(path: string): JsonObject {
  return {
    name: 'admin',
    address: { pipe: { path } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.tcp_proxy',
            typed_config: {
              '@type': `${TYPES}.network.tcp_proxy.v3.TcpProxy`,
              stat_prefix: 'admin',
              cluster: 'prometheus_stats',
            },
          },
        ],
      },
    ],
  };
}
