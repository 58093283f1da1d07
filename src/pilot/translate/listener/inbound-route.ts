import type { RouteConfiguration } from '../../../gen/types.ts';
import type { ClusterName } from '../../../model/ids.ts';
import { bool, duration } from '../protobuf.ts';

/** Everything that comes to a port goes to the workload, without limits of the proxy's own. */
export function buildInboundRoute(cluster: ClusterName, port: number): RouteConfiguration {
  return {
    name: cluster,
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            route: { cluster, timeout: duration(0), maxStreamDuration: { maxStreamDuration: duration(0) } },
          },
        ],
      },
    ],
    validateClusters: bool(false),
  };
}
