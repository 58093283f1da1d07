import { isIp, isUnixAddress } from '../../apis/address.ts';
import type { ServiceSpecPort } from '../../apis/kubernetes/service.ts';
import type { Port, WorkloadEntrySpec } from '../../apis/networking/networking.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Endpoint } from '../../model/service.ts';
import type { EndpointLookups } from './endpoint-lookups.ts';
import { localityOfLabels, parseLocality } from './locality.ts';
import type { EntrySource, KubernetesSource } from './service-source.ts';
import type { PortEndpoint } from './slice-endpoints.ts';
import { tlsModeAt, tlsModeOfEntry, type WorkloadInfo, weightOfEntry } from './workload.ts';

/** The port of a workload that a Service's port leads to; undefined if the workload has no port of that name. */
export function kubernetesTargetPort(
  { name, port, targetPort }: ServiceSpecPort,
  workload: WorkloadInfo,
): number | undefined {
  if (workload.isPod) return typeof targetPort === 'number' ? targetPort : workload.namedPorts.get(targetPort);
  const named = workload.namedPorts.get(String(targetPort)) ?? workload.namedPorts.get(name);
  return named ?? (typeof targetPort === 'number' ? targetPort : port);
}

/** As above, for a ServiceEntry's port. */
export function entryTargetPort(
  { name = '', number = 0, targetPort }: Port,
  ports: ReadonlyMap<string, number>,
): number {
  return ports.get(name) ?? (targetPort || number);
}

/**
 * The workloads a Service selects beyond what Kubernetes lists: WorkloadEntries always, and pods where nobody lists any (a
 * folder of files has no controller that would).
 */
export function buildSelectedEndpoints(
  { object, namespace, selector }: KubernetesSource,
  { selectedBy }: EndpointLookups,
  withPods: boolean,
): readonly PortEndpoint[] {
  if (selector === undefined) return [];
  const { ports, publishNotReadyAddresses } = object.spec;
  return selectedBy({ namespace, selector }).flatMap((workload) => {
    const health = healthOf(workload, publishNotReadyAddresses);
    if ((workload.isPod && !withPods) || health === undefined) return [];
    const hostname = workload.subdomain === object.meta.name ? workload.hostname : undefined;
    return ports.flatMap((servicePort): PortEndpoint[] => {
      const port = servicePort.protocol === 'TCP' ? kubernetesTargetPort(servicePort, workload) : undefined;
      if (port === undefined) return [];
      return endpointsAt(workload, { port, health, hostname }).map((endpoint) => ({
        port: servicePort.port,
        endpoint,
      }));
    });
  });
}

/** The endpoints that a ServiceEntry lists, selects, or (DNS without any) is itself. */
export function buildEntryEndpoints(source: EntrySource, lookups: EndpointLookups): readonly PortEndpoint[] {
  const { endpoints = [], resolution = 'NONE', ports = [] } = source.object.spec;
  if (resolution === 'NONE' || resolution === 'DYNAMIC_DNS') return [];
  return ports.flatMap((port): readonly PortEndpoint[] => {
    const { number } = port;
    if (number === undefined) return [];
    return entryEndpointsAt(source, port, lookups).map((endpoint) => ({ port: number, endpoint }));
  });

  function entryEndpointsAt(entry: EntrySource, port: Port, context: EndpointLookups): readonly Endpoint[] {
    if (endpoints.length > 0) return endpoints.map((listed) => listedEndpoint(entry.object, listed, { port, context }));
    if (entry.selector !== undefined) return selectedEndpoints(entry, port, context);
    if (resolution === 'STATIC') return [];
    const itself = { address: entry.hostname };
    return [listedEndpoint(entry.object, itself, { port, context })];
  }
}

function selectedEndpoints(
  { namespace, selector }: EntrySource,
  port: Port,
  lookups: EndpointLookups,
): readonly Endpoint[] {
  return lookups.selectedBy({ namespace, selector: selector ?? {} }).flatMap((workload) => {
    const health = healthOf(workload, false);
    if (health === undefined) return [];
    const target = entryTargetPort(port, workload.isPod ? new Map() : workload.namedPorts);
    return endpointsAt(workload, { port: target, health, hostname: undefined });
  });
}

type ListedContext = { readonly port: Port; readonly context: EndpointLookups };

function listedEndpoint(
  { meta }: ConfigObject<'ServiceEntry'>,
  listed: WorkloadEntrySpec,
  { port, context }: ListedContext,
): Endpoint {
  const { address = '', labels = {} } = listed;
  return {
    address,
    port: isUnixAddress(address) ? 0 : entryTargetPort(port, new Map(Object.entries(listed.ports ?? {}))),
    labels,
    serviceAccount: listed.serviceAccount ?? '',
    network: listed.network || context.findNetwork({ address, labels, inCluster: false }),
    locality: parseLocality(listed.locality) ?? localityOfLabels(labels),
    weight: weightOfEntry(listed),
    health: 'healthy',
    tlsMode: tlsModeOfEntry(listed, labels),
    namespace: meta.namespace,
    workload: meta.name,
    node: undefined,
    hostname: undefined,
    entry: undefined,
  };
}

function healthOf({ state }: WorkloadInfo, publishNotReady: boolean): Endpoint['health'] | undefined {
  switch (state) {
    case 'ready':
      return 'healthy';
    case 'draining':
      return 'draining';
    case 'unready':
      return publishNotReady ? 'healthy' : undefined;
  }
}

type Serving = Pick<Endpoint, 'port' | 'health' | 'hostname'>;

/** A pod of a dual-stack cluster has several addresses; its first is the one it is known by. */
function endpointsAt(info: WorkloadInfo, { port, health, hostname }: Serving): readonly Endpoint[] {
  const { workload, weight, isPod } = info;
  const { namespace, labels, serviceAccount, network, locality, node, controller, origin } = workload;
  return workload.addresses.slice(0, 1).map((address) => ({
    address,
    port: isUnixAddress(address) ? 0 : port,
    labels,
    serviceAccount,
    network,
    locality,
    weight,
    health,
    tlsMode: tlsModeAt(info, port),
    namespace,
    workload: controller,
    node,
    hostname,
    entry: isPod ? undefined : origin,
  }));
}

/** Whether EDS can carry the address: a name is for DNS. */
export function isResolved(address: string): boolean {
  return isIp(address) || isUnixAddress(address);
}
