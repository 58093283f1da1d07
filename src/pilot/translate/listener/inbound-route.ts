import type { RouteConfiguration } from '../../../gen/types.ts';
import type { ClusterName } from '../../../model/ids.ts';
import { bool, duration } from '../protobuf.ts';

/** HTTP to a port that no service names goes on to where it was sent. */
export function buildPassthroughRoute(cluster: ClusterName): RouteConfiguration {
  const timeout = duration(0);
  return {
    name: cluster,
    validateClusters: bool(false),
    virtualHosts: [
      {
        name: 'inbound|http|0',
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            route: {
              cluster,
              timeout,
              maxStreamDuration: { maxStreamDuration: timeout, grpcTimeoutHeaderMax: timeout },
            },
          },
        ],
      },
    ],
  };
}
