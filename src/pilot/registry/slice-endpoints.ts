import type { EndpointSliceSpec, EndpointsSpec, SliceEndpoint } from '../../apis/kubernetes/endpoints.ts';
import type { ServiceSpec, ServiceSpecPort } from '../../apis/kubernetes/service.ts';
import { objectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Endpoint, Locality } from '../../model/service.ts';
import type { EndpointLookups } from './endpoint-lookups.ts';
import { tlsModeAt, type WorkloadInfo } from './workload.ts';

type SlicePort = EndpointSliceSpec['ports'][number];
type TargetRef = NonNullable<SliceEndpoint['targetRef']>;

/** One address as Kubernetes lists it, in a slice or in the older Endpoints. */
type Listed = {
  readonly address: string;
  readonly health: Endpoint['health'];
  readonly hostname: string | undefined;
  readonly node: string | undefined;
  readonly zone: string | undefined;
  readonly targetRef: TargetRef | undefined;
  readonly ports: readonly SlicePort[];
};

export type SliceInputs = {
  readonly service: ConfigObject<'Service'>;
  readonly slices: readonly ConfigObject<'EndpointSlice'>[];
  /** Looked at only when there is no slice: Kubernetes mirrors them into slices. */
  readonly legacy: ConfigObject<'Endpoints'> | undefined;
};

/** An endpoint of the Service's port of this number. */
export type PortEndpoint = { readonly port: number; readonly endpoint: Endpoint };

export function buildSliceEndpoints(inputs: SliceInputs, lookups: EndpointLookups): readonly PortEndpoint[] {
  const { service, slices, legacy } = inputs;
  const listed = slices.length > 0 ? listedInSlices(service, slices) : listedInEndpoints(service, legacy);
  const ports = service.spec.ports.filter(({ protocol }) => protocol === 'TCP');
  return listed.flatMap((one) =>
    ports.flatMap((port): PortEndpoint[] => {
      const target = targetPort(port, one.ports);
      if (target === undefined) return [];
      const endpoint = buildEndpoint(one, { namespace: service.meta.namespace, port: target }, lookups);
      return [{ port: port.port, endpoint }];
    }),
  );
}

function listedInSlices(
  service: ConfigObject<'Service'>,
  slices: readonly ConfigObject<'EndpointSlice'>[],
): readonly Listed[] {
  const family = usedFamily(service.spec, slices);
  return slices
    .filter(({ spec }) => spec.addressType === family)
    .flatMap(({ spec }) =>
      spec.endpoints.flatMap((endpoint): Listed[] => {
        const health = sliceHealth(endpoint, service.spec.publishNotReadyAddresses);
        if (health === undefined) return [];
        const { hostname, nodeName: node, zone, targetRef } = endpoint;
        return endpoint.addresses.map((address) => ({
          address,
          health,
          hostname,
          node,
          zone,
          targetRef,
          ports: spec.ports,
        }));
      }),
    );
}

/** A dual-stack Service has slices of both families; clients dial its first address, so that family counts. */
function usedFamily({ clusterIPs }: ServiceSpec, slices: readonly ConfigObject<'EndpointSlice'>[]): string {
  const primary = clusterIPs[0]?.includes(':') === true ? 'IPv6' : 'IPv4';
  const other = primary === 'IPv4' ? 'IPv6' : 'IPv4';
  return slices.some(({ spec }) => spec.addressType === primary) ? primary : other;
}

/** Undefined keeps the endpoint out: not ready, and not on its way down while still serving. */
function sliceHealth(
  { ready, serving, terminating }: SliceEndpoint,
  publishNotReady: boolean,
): Endpoint['health'] | undefined {
  if (ready || publishNotReady) return 'healthy';
  return serving && terminating ? 'draining' : undefined;
}

function listedInEndpoints(
  { spec: { publishNotReadyAddresses } }: ConfigObject<'Service'>,
  legacy: ConfigObject<'Endpoints'> | undefined,
): readonly Listed[] {
  return (legacy?.spec.subsets ?? []).flatMap(
    ({ addresses, notReadyAddresses, ports }: EndpointsSpec['subsets'][number]) =>
      [...addresses, ...(publishNotReadyAddresses ? notReadyAddresses : [])].map(
        ({ ip, hostname, nodeName, targetRef }): Listed => ({
          address: ip,
          health: 'healthy',
          hostname,
          node: nodeName,
          zone: undefined,
          targetRef,
          ports,
        }),
      ),
  );
}

/** Ports of a Service and of its slices are matched by name; a slice port without a number stands for every port. */
function targetPort({ name, port }: ServiceSpecPort, ports: readonly SlicePort[]): number | undefined {
  const found = ports.find((candidate) => candidate.name === name && candidate.protocol === 'TCP');
  return found === undefined ? undefined : (found.port ?? port);
}

type Place = { readonly namespace: string; readonly port: number };

/** An address that is listed before its pod is known is kept; what the pod adds comes when it does. */
function buildEndpoint(listed: Listed, place: Place, lookups: EndpointLookups): Endpoint {
  const info = workloadOf(listed, place.namespace, lookups);
  return {
    address: listed.address,
    port: place.port,
    weight: 1,
    health: listed.health,
    hostname: listed.hostname,
    entry: undefined,
    ...(info === undefined
      ? unknownWorkload(listed, place, lookups)
      : knownWorkload(info, { listed, port: place.port }, lookups)),
  };
}

type ListedPort = { readonly listed: Listed; readonly port: number };

type WorkloadPart = Omit<Endpoint, 'address' | 'port' | 'weight' | 'health' | 'hostname' | 'entry'>;

function knownWorkload(info: WorkloadInfo, { listed, port }: ListedPort, lookups: EndpointLookups): WorkloadPart {
  const { workload } = info;
  const node = listed.node ?? workload.node;
  return {
    labels: workload.labels,
    serviceAccount: workload.serviceAccount,
    network: workload.network,
    locality: workload.locality ?? localityOf(node, listed, lookups),
    tlsMode: tlsModeAt(info, port),
    namespace: workload.namespace,
    workload: workload.controller,
    node,
  };
}

function unknownWorkload(listed: Listed, { namespace }: Place, lookups: EndpointLookups): WorkloadPart {
  return {
    labels: {},
    serviceAccount: '',
    network: lookups.findNetwork({ address: listed.address, labels: {}, inCluster: true }),
    locality: localityOf(listed.node, listed, lookups),
    tlsMode: 'disabled',
    namespace,
    workload: listed.targetRef?.name ?? '',
    node: listed.node,
  };
}

function localityOf(node: string | undefined, { zone }: Listed, lookups: EndpointLookups): Locality | undefined {
  return lookups.localityOfNode(node) ?? (zone ? { region: '', zone, subzone: '' } : undefined);
}

function workloadOf(
  { address, targetRef }: Listed,
  namespace: string,
  lookups: EndpointLookups,
): WorkloadInfo | undefined {
  if (targetRef?.kind !== 'Pod') return lookups.workloadAt(address);
  return lookups.workload(objectKey('Pod', targetRef.namespace || namespace, targetRef.name));
}
