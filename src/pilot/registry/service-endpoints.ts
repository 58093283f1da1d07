import { compareText } from '../../kit/order.ts';
import type { ServiceEndpoints } from '../../model/mesh-snapshot.ts';
import type { Endpoint, Service } from '../../model/service.ts';
import type { EndpointLookups } from './endpoint-lookups.ts';
import { sameValue } from './same-value.ts';
import type { EntrySource, KubernetesSource } from './service-source.ts';
import { buildSliceEndpoints, type PortEndpoint, type SliceInputs } from './slice-endpoints.ts';
import { buildEntryEndpoints, buildSelectedEndpoints, isResolved } from './workload-endpoints.ts';

export type EndpointInputs = {
  readonly service: Service;
  readonly kubernetes: KubernetesSource | undefined;
  /** Those that agree with the service. */
  readonly entries: readonly EntrySource[];
  readonly slices: SliceInputs['slices'];
  readonly legacy: SliceInputs['legacy'];
};

/**
 * Every proxied port of the service has a list, if an empty one: a service that lost its last endpoint is still there. Lists
 * and endpoints that hold what they held before are the same objects.
 */
export function buildServiceEndpoints(
  inputs: EndpointInputs,
  previous: ServiceEndpoints | undefined,
  lookups: EndpointLookups,
): ServiceEndpoints {
  const byPort = new Map<number, Endpoint[]>();
  for (const { port, protocol } of inputs.service.ports) if (protocol !== 'UDP') byPort.set(port, []);
  for (const { port, endpoint } of collect(inputs, lookups)) byPort.get(port)?.push(endpoint);
  const next = new Map<number, readonly Endpoint[]>();
  for (const [port, endpoints] of byPort) next.set(port, keepEndpoints(previous?.get(port), unique(endpoints)));
  return previous !== undefined && sameLists(previous, next) ? previous : next;
}

function collect(inputs: EndpointInputs, lookups: EndpointLookups): readonly PortEndpoint[] {
  const { service, kubernetes, entries, slices, legacy } = inputs;
  const added = entries.flatMap((entry) => buildEntryEndpoints(entry, lookups));
  const ofEntries =
    service.resolution.kind === 'dns' ? added : added.filter(({ endpoint }) => isResolved(endpoint.address));
  if (kubernetes === undefined) return ofEntries;
  const { type, externalName } = kubernetes.object.spec;
  if (type === 'ExternalName') return externalEndpoints(service, externalName);
  const isListed = slices.length > 0 || legacy !== undefined;
  const listed = buildSliceEndpoints({ service: kubernetes.object, slices, legacy }, lookups);
  const selected = buildSelectedEndpoints(kubernetes, lookups, !isListed).filter(({ endpoint }) =>
    isResolved(endpoint.address),
  );
  return [...listed, ...selected, ...ofEntries];
}

function externalEndpoints(service: Service, externalName = ''): readonly PortEndpoint[] {
  if (externalName === '') return [];
  return service.ports.map(({ port }) => ({
    port,
    endpoint: {
      address: externalName.toLowerCase(),
      port,
      labels: {},
      serviceAccount: '',
      network: '',
      locality: undefined,
      weight: 1,
      health: 'healthy',
      tlsMode: 'disabled',
      namespace: service.namespace,
      workload: service.name,
      node: undefined,
      hostname: undefined,
      entry: undefined,
    },
  }));
}

const healthRank = { healthy: 0, draining: 1, unhealthy: 2 };

/** Sorted, and each address once: while an endpoint moves between slices it may be in both. */
function unique(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const sorted = endpoints.toSorted(
    (a, b) => compareText(a.address, b.address) || a.port - b.port || healthRank[a.health] - healthRank[b.health],
  );
  return sorted.filter((endpoint, index) => {
    const before = sorted[index - 1];
    return before === undefined || before.address !== endpoint.address || before.port !== endpoint.port;
  });
}

function keepEndpoints(previous: readonly Endpoint[] | undefined, next: readonly Endpoint[]): readonly Endpoint[] {
  if (previous === undefined) return next;
  const known = new Map(previous.map((endpoint) => [placeOf(endpoint), endpoint]));
  const kept = next.map((endpoint) => {
    const before = known.get(placeOf(endpoint));
    return before !== undefined && sameValue(before, endpoint) ? before : endpoint;
  });
  return previous.length === kept.length && kept.every((endpoint, index) => endpoint === previous[index])
    ? previous
    : kept;
}

function placeOf({ address, port }: Endpoint): string {
  return `${address}|${port}`;
}

function sameLists(a: ServiceEndpoints, b: ServiceEndpoints): boolean {
  if (a.size !== b.size) return false;
  for (const [port, list] of a) if (b.get(port) !== list) return false;
  return true;
}
