import { isIp, isUnixAddress } from '../../../apis/address.ts';
import type { LocalityLbSetting } from '../../../apis/networking/networking.ts';
import type { ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints, Metadata } from '../../../gen/types.ts';
import { HealthStatus } from '../../../gen/types.ts';
import { compareText } from '../../../kit/order.ts';
import { outboundClusterName } from '../../../model/ids.ts';
import type { MeshDestinationRule } from '../../../model/mesh-snapshot.ts';
import type { Endpoint, Locality, Service, ServicePort } from '../../../model/service.ts';
import type { Origin } from '../../../xds/resource.ts';
import { type AssignmentType, type Built, originOf } from '../built.ts';
import { effectivePolicy } from '../policy/effective-policy.ts';
import { type LocalityLb, localityLbOf } from '../policy/locality-lb.ts';
import { addressOf, struct, uint32 } from '../protobuf.ts';
import { distribute } from './distribution.ts';
import { type ClientPlace, localityOf } from './place.ts';
import { distanceFrom } from './priority.ts';
import { fitWeights } from './weights.ts';

export type AssignmentInputs = {
  readonly service: Service;
  readonly port: ServicePort;
  /** Empty for the service as a whole. */
  readonly subset: string;
  readonly rule: MeshDestinationRule | undefined;
  /** Of that port. */
  readonly endpoints: readonly Endpoint[];
  readonly meshLocalityLb: LocalityLbSetting | undefined;
  /** Given only where places matter (`clientLabelsOf`), so that all other clients share one assignment. */
  readonly client: ClientPlace | undefined;
};

/** Sent also when it is empty: a cluster waits for its assignment. */
export function buildAssignment(inputs: AssignmentInputs): Built<AssignmentType> {
  const { service, port, subset, rule } = inputs;
  const name = outboundClusterName(port.port, subset, service.hostname);
  const reachable = inputs.endpoints.filter(({ address }) => isUnixAddress(address) || isIp(address));
  const found = subsetOf(rule, subset);
  return {
    type: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
    name,
    message: buildLoadAssignment({ ...inputs, endpoints: reachable }, name),
    needs: [],
    origins: [
      originOf(service.origin, 'spec'),
      ...(found === undefined ? [] : [originOf(found.object, found.path)]),
      ...entryOrigins(reachable, rule, subset),
    ],
  };
}

/** The WorkloadEntries among the endpoints that are used, each once. */
export function entryOrigins(
  endpoints: readonly Endpoint[],
  rule: MeshDestinationRule | undefined,
  subset: string,
): readonly Origin[] {
  // Most services have none, and choosing costs.
  if (endpoints.every(({ entry }) => entry === undefined)) return [];
  const used = selectEndpoints(endpoints, rule, subset);
  const entries = new Set(used.flatMap(({ entry }) => (entry === undefined ? [] : [entry])));
  return [...entries].map((entry) => originOf(entry, 'spec'));
}

type PlaceInputs = Pick<AssignmentInputs, 'service' | 'port' | 'subset' | 'rule' | 'meshLocalityLb'>;

/** The labels of the client's place that the assignment depends on, beside its locality; undefined where nothing of it does. */
export function clientLabelsOf(inputs: PlaceInputs): readonly string[] | undefined {
  const localityLb = localityLbFor(inputs);
  if (localityLb === undefined) return undefined;
  const labels = localityLb.failover ? (localityLb.setting.failoverPriority ?? []) : [];
  // `label=value` asks the endpoint alone.
  return labels.filter((label) => !label.includes('='));
}

function localityLbFor({
  service,
  port,
  subset,
  rule,
  meshLocalityLb,
}: Pick<AssignmentInputs, 'service' | 'port' | 'subset' | 'rule' | 'meshLocalityLb'>): LocalityLb | undefined {
  return localityLbOf(effectivePolicy(rule, port.port, subset), service, meshLocalityLb);
}

/** The same for a cluster that carries its endpoints itself. */
export function buildLoadAssignment(inputs: AssignmentInputs, clusterName: string): ClusterLoadAssignment {
  const selected = selectEndpoints(inputs.endpoints, inputs.rule, inputs.subset);
  return { clusterName, endpoints: buildGroups(selected, inputs.client, localityLbFor(inputs)) };
}

/**
 * What a client may be sent to: unhealthy endpoints are left out, draining ones are told as such, so that connections and
 * sessions that are there may end in peace. Each address once, in an order that does not depend on its source's.
 */
export function selectEndpoints(
  endpoints: readonly Endpoint[],
  rule: MeshDestinationRule | undefined,
  subset: string,
): readonly Endpoint[] {
  const labels = Object.entries(subsetOf(rule, subset)?.spec.labels ?? {});
  const byAddress = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    if (endpoint.health === 'unhealthy') continue;
    if (!labels.every(([key, value]) => endpoint.labels[key] === value)) continue;
    const key = `${endpoint.address} ${endpoint.port}`;
    if (!byAddress.has(key)) byAddress.set(key, endpoint);
  }
  return [...byAddress].sort(([a], [b]) => compareText(a, b)).map(([, endpoint]) => endpoint);
}

function subsetOf(
  rule: MeshDestinationRule | undefined,
  subset: string,
): MeshDestinationRule['subsets'][number] | undefined {
  return subset === '' ? undefined : rule?.subsets.find(({ spec }) => spec.name === subset);
}

type Group = {
  readonly locality: Locality;
  readonly distance: number;
  readonly endpoints: Endpoint[];
  weight: number;
};

function buildGroups(
  endpoints: readonly Endpoint[],
  client: ClientPlace | undefined,
  localityLb: LocalityLb | undefined,
): readonly LocalityLbEndpoints[] {
  const distance =
    client !== undefined && localityLb?.failover === true ? distanceFrom(client, localityLb.setting) : () => 0;
  const shares = localityLb?.setting.distribute?.length ? localityLb.setting : undefined;
  // A distribution says everything about places, so it does without priorities.
  const groups = groupEndpoints(endpoints, shares === undefined ? distance : () => 0);
  const distributed = client === undefined || shares === undefined ? undefined : distribute(groups, client, shares);
  const weights = fitWeights(distributed ?? groups.map(({ weight }) => weight));
  const distances = [...new Set(groups.map((group) => group.distance))];
  return groups.flatMap((group, index) => {
    const weight = weights[index] ?? 0;
    // Envoy takes no weight of 0, and wants none of the endpoints of a locality without a share.
    return weight === 0 ? [] : [buildGroup(group, weight, distances.indexOf(group.distance))];
  });
}

function groupEndpoints(endpoints: readonly Endpoint[], distanceOf: (endpoint: Endpoint) => number): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const endpoint of endpoints) {
    const locality = localityOf(endpoint);
    const distance = distanceOf(endpoint);
    const key = `${distance} ${locality.region}/${locality.zone}/${locality.subzone}`;
    const group = groups.get(key) ?? { locality, distance, endpoints: [], weight: 0 };
    group.endpoints.push(endpoint);
    group.weight += endpoint.weight;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => a.distance - b.distance || compareLocality(a.locality, b.locality));
}

function compareLocality(a: Locality, b: Locality): number {
  return compareText(a.region, b.region) || compareText(a.zone, b.zone) || compareText(a.subzone, b.subzone);
}

function buildGroup(group: Group, weight: number, priority: number): LocalityLbEndpoints {
  const { region, zone, subzone } = group.locality;
  const weights = fitWeights(group.endpoints.map((endpoint) => endpoint.weight));
  return {
    // gRPC clients refuse groups without a locality, be it an empty one, and groups without weight get nothing there.
    locality: {
      ...(region === '' ? {} : { region }),
      ...(zone === '' ? {} : { zone }),
      ...(subzone === '' ? {} : { subZone: subzone }),
    },
    lbEndpoints: group.endpoints.map((endpoint, index) => buildEndpoint(endpoint, weights[index] ?? 1)),
    loadBalancingWeight: uint32(weight),
    ...(priority === 0 ? {} : { priority }),
  };
}

function buildEndpoint(endpoint: Endpoint, weight: number): LbEndpoint {
  return {
    endpoint: { address: addressOf(endpoint.address, endpoint.port) },
    ...(endpoint.health === 'draining' ? { healthStatus: HealthStatus.DRAINING } : {}),
    metadata: endpointMetadata(endpoint),
    ...(weight === 1 ? {} : { loadBalancingWeight: uint32(weight) }),
  };
}

const TRANSPORT_MATCH = 'envoy.transport_socket_match';
const mutualTls = { [TRANSPORT_MATCH]: struct({ tlsMode: 'istio' }) };

/** What a client's Envoy knows of an endpoint: whether it takes mutual TLS, and whose it is. */
function endpointMetadata(endpoint: Endpoint): Metadata | undefined {
  const { workload, namespace, labels } = endpoint;
  const tls = endpoint.tlsMode === 'istio' ? mutualTls : {};
  if (workload === '') return endpoint.tlsMode === 'istio' ? { filterMetadata: tls } : undefined;
  const service =
    labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? workload;
  const revision =
    labels['service.istio.io/canonical-revision'] ??
    labels['app.kubernetes.io/version'] ??
    labels['version'] ??
    'latest';
  const names = [workload, namespace, service, revision, ''].join(';');
  return { filterMetadata: { ...tls, istio: struct({ workload: names }) } };
}
