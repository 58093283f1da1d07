import { splitHostPort } from '../../../apis/address.ts';
import type { ConnectionPool, IngressListener } from '../../../apis/networking/networking.ts';
import type { Cluster, ClusterLoadAssignment, Metadata } from '../../../gen/types.ts';
import { Cluster_DiscoveryType, Cluster_LbPolicy } from '../../../gen/types.ts';
import { inboundClusterName } from '../../../model/ids.ts';
import type { Traced } from '../../../model/mesh-snapshot.ts';
import type { Protocol } from '../../../model/service.ts';
import { type Built, type ClusterType, originOf } from '../built.ts';
import type { ServiceAtPort } from '../plan.ts';
import { buildCircuitBreakers, buildConnectionOptions, connectTimeout } from '../policy/connection-pool.ts';
import { buildProtocolOptions, upstreamHttp } from '../policy/http-protocol.ts';
import { addressOf, istioMetadata, uint32 } from '../protobuf.ts';
import type { ClusterDefaults } from './defaults.ts';
import { buildStatName } from './stat-name.ts';
import { inboundBind } from './static.ts';

export type InboundClusterInputs = {
  readonly targetPort: number;
  readonly protocol: Protocol;
  /** The service that decides how the port is served; none for a Sidecar's ingress listener without one. */
  readonly member: ServiceAtPort | undefined;
  /** The Sidecar's listener for the port, where it has one. */
  readonly ingress: Traced<IngressListener> | undefined;
  /** The Sidecar's pool for all inbound ports. */
  readonly connectionPool: Traced<ConnectionPool> | undefined;
  readonly defaults: ClusterDefaults;
};

/** From the sidecar to its workload. */
export function buildInboundCluster(inputs: InboundClusterInputs): Built<ClusterType> {
  const { targetPort, protocol, member, ingress, defaults } = inputs;
  const name = inboundClusterName(targetPort);
  const pool = inboundPool(inputs);
  const speaks = upstreamHttp({ protocol, pool: withoutUpgrade(pool?.spec), upgrade: false, sniffs: true });
  const message: Cluster = {
    ...buildDestination(endpointOf(inputs), name),
    name,
    altStatName: member && buildStatName({ ...member, pattern: defaults.inboundStatName, subset: '' }),
    connectTimeout: connectTimeout(pool?.spec, defaults.connectTimeoutMs),
    circuitBreakers: buildCircuitBreakers(pool?.spec, undefined),
    upstreamConnectionOptions: buildConnectionOptions(pool?.spec, defaults.tcpKeepalive),
    typedExtensionProtocolOptions: buildProtocolOptions({ speaks, pool: pool?.spec, fromHost: undefined }),
    metadata: member && serviceMetadata(member),
  };
  const origins = [
    ...(member === undefined ? [] : [originOf(member.service.origin, 'spec')]),
    ...[ingress, pool].flatMap((part) => (part === undefined ? [] : [originOf(part.object, part.path)])),
  ];
  return { type: 'envoy.config.cluster.v3.Cluster', name, message, needs: [], origins };
}

/** The nearest one as a whole. Of a DestinationRule only the policy for all ports counts, and of that only this part. */
function inboundPool({ ingress, connectionPool, member }: InboundClusterInputs): Traced<ConnectionPool> | undefined {
  const own = ingress?.spec.connectionPool;
  if (ingress !== undefined && own !== undefined)
    return { spec: own, object: ingress.object, path: `${ingress.path}.connectionPool` };
  if (connectionPool !== undefined) return connectionPool;
  const policy = member?.rule?.trafficPolicy;
  if (policy?.spec.connectionPool === undefined) return undefined;
  return { spec: policy.spec.connectionPool, object: policy.object, path: `${policy.path}.connectionPool` };
}

/** The wish to speak HTTP/2 is about the way between proxies; the application hears what its port says. */
function withoutUpgrade(pool: ConnectionPool | undefined): ConnectionPool | undefined {
  return pool?.http === undefined ? pool : { ...pool, http: { ...pool.http, h2UpgradePolicy: 'DO_NOT_UPGRADE' } };
}

type DestinationFields = Pick<Cluster, 'lbPolicy' | 'loadAssignment' | 'upstreamBindConfig'> & {
  readonly type: Cluster_DiscoveryType;
  readonly originalDstLbConfig?: NonNullable<Cluster['originalDstLbConfig']>;
};

/** Empty for the address that was dialled. */
function endpointOf({ ingress, targetPort, defaults }: InboundClusterInputs): string {
  const own = ingress?.spec.defaultEndpoint ?? '';
  return own === '' && defaults.inboundToLoopback ? `127.0.0.1:${targetPort}` : own;
}

/** `127.0.0.1:port` and `unix:///path` are places of their own; `0.0.0.0:port` is the workload's own address. */
function buildDestination(endpoint: string, name: string): DestinationFields {
  const ownAddress: DestinationFields = {
    type: Cluster_DiscoveryType.ORIGINAL_DST,
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    upstreamBindConfig: inboundBind,
  };
  if (endpoint === '') return ownAddress;
  if (endpoint.startsWith('unix:')) return staticDestination(name, endpoint, 0);
  const { host, port } = splitHostPort(endpoint) ?? { host: '', port: 0 };
  if (host === '0.0.0.0' || host === '::')
    return { ...ownAddress, originalDstLbConfig: { upstreamPortOverride: uint32(port) } };
  return staticDestination(name, host === '' ? '127.0.0.1' : host, port);
}

function staticDestination(clusterName: string, address: string, port: number): DestinationFields {
  const loadAssignment: ClusterLoadAssignment = {
    clusterName,
    endpoints: [{ lbEndpoints: [{ endpoint: { address: addressOf(address, port) } }] }],
  };
  return { type: Cluster_DiscoveryType.STATIC, lbPolicy: Cluster_LbPolicy.ROUND_ROBIN, loadAssignment };
}

function serviceMetadata({ service }: ServiceAtPort): Metadata {
  return istioMetadata({
    services: [{ host: service.hostname, name: service.name, namespace: service.namespace }],
  });
}
