import type { RouteConfiguration } from '../../../gen/types.ts';
import { inboundClusterName } from '../../../model/ids.ts';
import type { ServiceAtPort } from '../plan.ts';
import { bool, duration } from '../protobuf.ts';

export type InboundRouteInputs = {
  readonly targetPort: number;
  /** The service that decides how the port is served; none for a Sidecar's ingress listener without one. */
  readonly member: ServiceAtPort | undefined;
};

/** Part of the listener: everything to the workload. Timeouts and retries are the client's business. */
export function buildInboundRoute({ targetPort, member }: InboundRouteInputs): RouteConfiguration {
  const cluster = inboundClusterName(targetPort);
  const port = member?.port.port ?? targetPort;
  const timeout = duration(0);
  return {
    name: cluster,
    validateClusters: bool(false),
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { prefix: '/' },
            decorator: { operation: `${member?.service.hostname ?? 'localhost'}:${port}/*` },
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
