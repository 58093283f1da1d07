import type { ServiceSpec } from '../../apis/kubernetes/service.ts';
import type { ServiceEntrySpec } from '../../apis/networking/networking.ts';
import { parseProtocol } from '../../apis/protocol.ts';
import { KeyedMemo, keepIfSame, memoByIdentity } from '../../kit/memo.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import { objectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type Backend, backendsOf } from './backends.ts';
import { PodIndex } from './pod-index.ts';

type Service = ConfigObject<'Service'>;
type Listing = ConfigObject<'EndpointSlice'> | ConfigObject<'Endpoints'>;

type Inputs = {
  readonly service: Service;
  readonly backends: readonly Backend[];
  readonly listings: readonly Listing[];
  readonly trustDomain: string;
};

const EXPORT_TO = 'networking.istio.io/exportTo';
const SERVICE_VERSION = 'networking.alpha.istio.io/serviceVersion';
const ENDPOINTS_VERSION = 'networking.alpha.istio.io/endpointsVersion';
const NOT_READY = 'networking.alpha.istio.io/notReadyEndpoints';

/**
 * Services of Kubernetes as ServiceEntries, for consumers who read no Kubernetes API. A service whose own objects did not
 * change, nor the pods behind it, keeps its entry.
 */
export class SyntheticServiceEntries {
  readonly #memo: KeyedMemo<string, Inputs, ConfigObject<'ServiceEntry'>>;
  readonly #known = new Map<string, Pick<Inputs, 'backends' | 'listings'>>();
  readonly #pods = memoByIdentity((pods: ConfigSnapshot['objects']['Pod']) => new PodIndex(pods));
  readonly #nodes = memoByIdentity((nodes: ConfigSnapshot['objects']['Node']) => indexByName(nodes));
  #list: readonly ConfigObject<'ServiceEntry'>[] = [];

  constructor(domain: string) {
    this.#memo = new KeyedMemo((inputs) => buildEntry(inputs, domain));
  }

  /** The same list as before when no entry changed. */
  of({ objects, mesh }: ConfigSnapshot): readonly ConfigObject<'ServiceEntry'>[] {
    const places = { pods: this.#pods(objects.Pod), nodes: this.#nodes(objects.Node) };
    const listings = listingsByService(objects);
    const trustDomain = mesh.trustDomain === '' ? 'cluster.local' : mesh.trustDomain;
    const live = new Set<string>();
    const entries = objects.Service.map((service) => {
      live.add(service.key);
      const known = this.#known.get(service.key);
      const own = keepIfSame(known?.listings, listings.get(service.key) ?? []);
      const backends = keepIfSame(known?.backends, backendsOf(own, places));
      this.#known.set(service.key, { backends, listings: own });
      return this.#memo.get(service.key, { service, backends, listings: own, trustDomain });
    });
    this.#memo.retain(live);
    for (const key of this.#known.keys()) if (!live.has(key)) this.#known.delete(key);
    this.#list = keepIfSame(this.#list, entries);
    return this.#list;
  }
}

function indexByName(nodes: readonly ConfigObject<'Node'>[]): ReadonlyMap<string, ConfigObject<'Node'>> {
  return new Map(nodes.map((node) => [node.meta.name, node]));
}

/** A service that has slices is described by them; the older Endpoints say the same. */
function listingsByService(objects: ConfigSnapshot['objects']): ReadonlyMap<string, readonly Listing[]> {
  const found = new Map<string, Listing[]>();
  for (const slice of objects.EndpointSlice) {
    if (slice.spec.serviceName === '') continue;
    const key = objectKey('Service', slice.meta.namespace, slice.spec.serviceName);
    found.set(key, [...(found.get(key) ?? []), slice]);
  }
  for (const endpoints of objects.Endpoints) {
    const key = objectKey('Service', endpoints.meta.namespace, endpoints.meta.name);
    if (!found.has(key)) found.set(key, [endpoints]);
  }
  return found;
}

function buildEntry(inputs: Inputs, domain: string): ConfigObject<'ServiceEntry'> {
  const { service, backends, listings } = inputs;
  const { namespace, name } = service.meta;
  const notReady = backends
    .filter(({ ready }) => !ready)
    .flatMap(({ address, ports }) => Object.values(ports).map((port) => `${address}:${port}`));
  const versions = listings.flatMap(({ meta }) => meta.resourceVersion ?? []);
  return {
    kind: 'ServiceEntry',
    key: objectKey('ServiceEntry', namespace, name),
    meta: {
      ...service.meta,
      annotations: {
        ...service.meta.annotations,
        ...(service.meta.resourceVersion === undefined ? {} : { [SERVICE_VERSION]: service.meta.resourceVersion }),
        ...(versions.length === 0 ? {} : { [ENDPOINTS_VERSION]: versions.join(',') }),
        ...(notReady.length === 0 ? {} : { [NOT_READY]: notReady.sort().join(',') }),
      },
    },
    spec: entrySpec(inputs, domain),
  };
}

function entrySpec({ service, backends, trustDomain }: Inputs, domain: string): ServiceEntrySpec {
  const { meta, spec } = service;
  const ready = backends.filter((backend) => backend.ready);
  const isExternal = spec.type === 'ExternalName';
  const accounts = ready.flatMap(({ serviceAccount }) => (serviceAccount === undefined ? [] : [serviceAccount]));
  const exportTo = exportToOf(meta.annotations[EXPORT_TO]);
  return {
    hosts: [`${meta.name}.${meta.namespace}.svc.${domain}`],
    addresses: [addressOf(spec)],
    ports: spec.ports.map(({ name, port, protocol, appProtocol }) => ({
      name,
      number: port,
      protocol: protocolOf(name, protocol, appProtocol),
    })),
    location: isExternal ? 'MESH_EXTERNAL' : 'MESH_INTERNAL',
    resolution: resolutionOf(spec, ready.length > 0),
    endpoints: isExternal ? [externalEndpoint(service)] : ready.map(endpointOf),
    ...(exportTo.length === 0 ? {} : { exportTo }),
    subjectAltNames: [...new Set(accounts)].sort().map((account) => `spiffe://${trustDomain}/${account}`),
  };
}

function addressOf({ type, clusterIPs }: ServiceSpec): string {
  const [first] = clusterIPs;
  return type === 'ExternalName' || first === undefined || first === 'None' ? '0.0.0.0' : first;
}

function resolutionOf({ type, clusterIPs }: ServiceSpec, hasEndpoints: boolean): 'DNS' | 'STATIC' | 'NONE' {
  if (type === 'ExternalName') return 'DNS';
  return hasEndpoints || (clusterIPs[0] !== undefined && clusterIPs[0] !== 'None') ? 'STATIC' : 'NONE';
}

/** As a port's name says before its first dash; Kubernetes' own protocol where that says nothing. */
function protocolOf(name: string, protocol: string, appProtocol: string | undefined): string {
  if (protocol !== 'TCP') return protocol;
  const prefix = name.toLowerCase().startsWith('grpc-web') ? 'grpc-web' : name.split('-', 1)[0];
  return parseProtocol(appProtocol) ?? parseProtocol(prefix) ?? 'TCP';
}

function exportToOf(annotation: string | undefined): readonly string[] {
  const names = (annotation ?? '').split(',').map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))].sort();
}

type Endpoint = NonNullable<ServiceEntrySpec['endpoints']>[number];

function externalEndpoint({ meta, spec }: Service): Endpoint {
  return {
    address: spec.externalName ?? '',
    ports: Object.fromEntries(spec.ports.map(({ name, port }) => [name, port])),
    labels: meta.labels,
  };
}

function endpointOf({ address, ports, labels, locality }: Backend): Endpoint {
  return { address, ports, labels, ...(locality === undefined ? {} : { locality }) };
}
