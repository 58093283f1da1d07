import type { RouteConfiguration, VirtualHost } from '../../../gen/types.ts';
import { BLACK_HOLE_CLUSTER, type ClusterName } from '../../../model/ids.ts';
import { type Built, type BuiltVirtualHost, clusterRef, type RouteConfigurationType } from '../built.ts';
import { bool, duration, uint32 } from '../protobuf.ts';
import { MAX_BODY } from './answer.ts';
import type { RouteDefaults } from './defaults.ts';

export type RouteConfigurationInputs = {
  readonly name: string;
  readonly virtualHosts: readonly BuiltVirtualHost[];
  /** Where requests for other hosts go: to the black hole (502), a cluster, or nowhere (404). */
  readonly fallThrough: ClusterName | undefined;
  readonly defaults: RouteDefaults;
  /** `VirtualHostPlans.matchPorts`. */
  readonly matchPorts: boolean;
};

export function buildRouteConfiguration(inputs: RouteConfigurationInputs): Built<RouteConfigurationType> {
  const { name, virtualHosts, fallThrough, matchPorts, defaults } = inputs;
  const takesAll = virtualHosts.some(({ message }) => message.domains?.includes('*') === true);
  const rest = takesAll || fallThrough === undefined ? [] : [buildRest(fallThrough, defaults)];
  const message: RouteConfiguration = {
    name,
    virtualHosts: [...virtualHosts.map((host) => host.message), ...rest],
    ...commonFields,
    ...(matchPorts ? {} : { ignorePortInHostMatching: true }),
  };
  const restNeeds =
    rest.length > 0 && fallThrough !== undefined && fallThrough !== BLACK_HOLE_CLUSTER ? [clusterRef(fallThrough)] : [];
  return {
    type: 'envoy.config.route.v3.RouteConfiguration',
    name,
    message,
    needs: distinct([...virtualHosts.flatMap(({ needs }) => needs), ...restNeeds], (need) => need.name),
    origins: distinct(
      virtualHosts.flatMap(({ origins }) => origins),
      (origin) => [origin.kind, origin.namespace, origin.name, origin.path].join('\0'),
    ),
  };
}

/** Clusters come by their own stream of updates, so Envoy must not refuse routes for one that is not there yet. */
const commonFields: Pick<RouteConfiguration, 'validateClusters' | 'maxDirectResponseBodySizeBytes'> = {
  validateClusters: bool(false),
  maxDirectResponseBodySizeBytes: uint32(MAX_BODY),
};

function buildRest(fallThrough: ClusterName, { countsAttempts }: RouteDefaults): VirtualHost {
  const match = { prefix: '/' };
  const shared = { domains: ['*'], includeRequestAttemptCount: countsAttempts };
  if (fallThrough === BLACK_HOLE_CLUSTER) {
    const name = 'block_all';
    return { name, ...shared, routes: [{ name, match, directResponse: { status: 502 } }] };
  }
  const name = 'allow_any';
  const timeout = duration(0);
  const route = { cluster: fallThrough, timeout, maxStreamDuration: { grpcTimeoutHeaderMax: timeout } };
  return { name, ...shared, routes: [{ name, match, route }] };
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
