import { isIp } from '../../apis/address.ts';
import type { SliceEndpoint } from '../../apis/kubernetes/endpoints.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { objectKey, type ServiceKey, serviceKey } from '../../model/ids.ts';
import type { ServiceEndpoints } from '../../model/mesh-snapshot.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { diagnose } from './diagnose.ts';
import { editMap } from './edit-map.ts';
import type { EndpointLookups } from './endpoint-lookups.ts';
import { GroupIndex } from './group-index.ts';
import { changeOf, type ListChange, moved } from './list-change.ts';
import type { FindNetwork } from './network.ts';
import { compareAge } from './order.ts';
import { buildServiceEndpoints } from './service-endpoints.ts';
import type { ServiceChange, ServiceIndex } from './service-index.ts';
import { kubernetesHostname } from './service-source.ts';
import type { WorkloadInfo } from './workload.ts';
import type { WorkloadIndex } from './workload-index.ts';

export type EndpointIndexInputs = {
  readonly slices: readonly ConfigObject<'EndpointSlice'>[];
  readonly legacy: readonly ConfigObject<'Endpoints'>[];
  readonly findNetwork: FindNetwork;
};

/** What moved below the endpoints. */
export type EndpointCauses = {
  readonly services: ServiceChange;
  readonly workloads: ListChange<WorkloadInfo>;
  readonly nodes: ReadonlySet<string>;
};

type Listing = ConfigObject<'EndpointSlice'> | ConfigObject<'Endpoints'>;

/** Endpoints by service. Each update looks at the services that something moved for, and no other. */
export class EndpointIndex {
  readonly #services: ServiceIndex;
  readonly #workloads: WorkloadIndex;
  readonly #domainSuffix: string;
  readonly #slices: GroupIndex<ConfigObject<'EndpointSlice'>, ServiceKey>;
  readonly #legacy: GroupIndex<ConfigObject<'Endpoints'>, ServiceKey>;
  readonly #byReference = new GroupIndex<Listing, string>({ groupsOf: references, compare: compareAge });
  /** Services whose endpoints are written by hand, with the addresses. */
  readonly #listed = new Map<ServiceKey, ReadonlySet<string>>();
  readonly #listing = new Map<string, Set<ServiceKey>>();
  readonly #diagnostics = new Map<ConfigObject<'EndpointSlice'>, Diagnostic>();
  #inputs: EndpointIndexInputs | undefined;
  #published: ReadonlyMap<ServiceKey, ServiceEndpoints> = new Map();

  constructor(deps: {
    readonly services: ServiceIndex;
    readonly workloads: WorkloadIndex;
    readonly domainSuffix: string;
  }) {
    this.#services = deps.services;
    this.#workloads = deps.workloads;
    this.#domainSuffix = deps.domainSuffix;
    this.#slices = new GroupIndex<ConfigObject<'EndpointSlice'>, ServiceKey>({
      groupsOf: (slice) => [this.#serviceOf(slice)],
      compare: compareAge,
    });
    this.#legacy = new GroupIndex<ConfigObject<'Endpoints'>, ServiceKey>({
      groupsOf: (endpoints) => [this.#serviceOf(endpoints)],
      compare: compareAge,
    });
  }

  get byService(): ReadonlyMap<ServiceKey, ServiceEndpoints> {
    return this.#published;
  }

  diagnostics(): Iterable<Diagnostic> {
    return this.#diagnostics.values();
  }

  /** Services that list the address by hand. */
  listing(address: string): Iterable<ServiceKey> {
    return this.#listing.get(address) ?? [];
  }

  /** Returns the addresses that a service lists by hand, or did, of every service that was looked at. */
  update(inputs: EndpointIndexInputs, causes: EndpointCauses): ReadonlySet<string> {
    const before = this.#inputs;
    this.#inputs = inputs;
    const slices = changeOf(before?.slices ?? [], inputs.slices);
    const legacy = changeOf(before?.legacy ?? [], inputs.legacy);
    this.#diagnose(slices);
    this.#byReference.apply({
      removed: [...slices.removed, ...legacy.removed],
      added: [...slices.added, ...legacy.added],
    });
    const keys = new Set([
      ...this.#slices.apply(slices),
      ...this.#legacy.apply(legacy),
      ...causes.services.touched,
      ...moved(causes.services.services).map(({ key }) => key),
      ...moved(causes.workloads).flatMap((info) => this.#affectedBy(info)),
      ...this.#on(causes.nodes, inputs.slices),
    ]);
    const everywhere = before !== undefined && before.findNetwork !== inputs.findNetwork;
    return this.#rebuild(everywhere ? new Set([...keys, ...this.#published.keys()]) : keys);
  }

  #diagnose({ removed, added }: ListChange<ConfigObject<'EndpointSlice'>>): void {
    for (const slice of removed) this.#diagnostics.delete(slice);
    for (const slice of added) if (slice.spec.addressType === 'FQDN') this.#diagnostics.set(slice, tellNames(slice));
  }

  #serviceOf(listing: Listing): ServiceKey {
    const { namespace, name } = listing.meta;
    const service = listing.kind === 'EndpointSlice' ? listing.spec.serviceName : name;
    return serviceKey(namespace, kubernetesHostname(service, namespace, this.#domainSuffix));
  }

  #affectedBy(info: WorkloadInfo): readonly ServiceKey[] {
    const references = [info.key, ...info.workload.addresses.map(addressReference)];
    return [
      ...this.#services.selecting(info).map(({ key }) => key),
      ...references.flatMap((reference) => this.#byReference.get(reference)).map((listing) => this.#serviceOf(listing)),
    ];
  }

  /** Nodes move rarely, and an index by node would be long. */
  #on(nodes: ReadonlySet<string>, slices: readonly ConfigObject<'EndpointSlice'>[]): readonly ServiceKey[] {
    if (nodes.size === 0) return [];
    return slices
      .filter(({ spec }) => spec.endpoints.some(({ nodeName }) => nodeName !== undefined && nodes.has(nodeName)))
      .map((slice) => this.#serviceOf(slice));
  }

  #rebuild(keys: ReadonlySet<ServiceKey>): ReadonlySet<string> {
    const addresses = new Set<string>();
    const rebuilt = [...keys].map((key) => {
      const endpoints = this.#build(key, this.#published.get(key));
      for (const address of this.#relist(key, endpoints)) addresses.add(address);
      return [key, endpoints] as const;
    });
    this.#published = editMap(this.#published, rebuilt);
    return addresses;
  }

  #build(key: ServiceKey, before: ServiceEndpoints | undefined): ServiceEndpoints | undefined {
    const service = this.#services.get(key);
    if (service === undefined) return undefined;
    const slices = this.#slices.get(key);
    const legacy = this.#legacy.get(key)[0];
    return buildServiceEndpoints({ service, ...this.#services.sources(key), slices, legacy }, before, this.#lookups());
  }

  #lookups(): EndpointLookups {
    return {
      workload: (key) => this.#workloads.get(key),
      workloadAt: (address) => this.#workloads.at(address),
      selectedBy: (selection) => this.#workloads.selectedBy(selection),
      localityOfNode: (node) => this.#workloads.localityOf(node),
      findNetwork: this.#inputs?.findNetwork ?? (() => ''),
    };
  }

  #relist(key: ServiceKey, endpoints: ServiceEndpoints | undefined): Iterable<string> {
    const before = this.#listed.get(key) ?? new Set();
    const now = this.#isListedByHand(key) ? addressesIn(endpoints) : new Set<string>();
    for (const address of before) this.#listing.get(address)?.delete(key);
    for (const address of now) this.#listing.set(address, (this.#listing.get(address) ?? new Set()).add(key));
    for (const address of before) if (this.#listing.get(address)?.size === 0) this.#listing.delete(address);
    if (now.size === 0) this.#listed.delete(key);
    else this.#listed.set(key, now);
    return [...before, ...now];
  }

  #isListedByHand(key: ServiceKey): boolean {
    const { kubernetes, entries } = this.#services.sources(key);
    return [...(kubernetes === undefined ? [] : [kubernetes]), ...entries].some(
      ({ selector }) => selector === undefined,
    );
  }
}

function tellNames(slice: ConfigObject<'EndpointSlice'>): Diagnostic {
  return diagnose({
    level: 'warning',
    code: 'XEB2007',
    object: refOf(slice),
    path: ['addressType'],
    message:
      'proxies are sent endpoints as addresses, so names are left out; use a Service of type ExternalName, or a ServiceEntry of resolution DNS',
  });
}

function addressesIn(endpoints: ServiceEndpoints | undefined): ReadonlySet<string> {
  const lists = [...(endpoints?.values() ?? [])];
  return new Set(lists.flatMap((list) => list.map(({ address }) => address)).filter(isIp));
}

function addressReference(address: string): string {
  return `@${address}`;
}

/** The pods and addresses whose arrival or change matters to what is listed. */
function references({ kind, meta, spec }: Listing): readonly string[] {
  if (kind === 'EndpointSlice') {
    return spec.endpoints.flatMap((endpoint) => referencesOf(endpoint, meta.namespace));
  }
  return spec.subsets
    .flatMap(({ addresses, notReadyAddresses }) => [...addresses, ...notReadyAddresses])
    .flatMap(({ ip, targetRef }) => referencesOf({ addresses: [ip], targetRef }, meta.namespace));
}

type Referring = Pick<SliceEndpoint, 'addresses' | 'targetRef'>;

function referencesOf({ addresses, targetRef }: Referring, namespace: string): readonly string[] {
  if (targetRef?.kind !== 'Pod') return addresses.map(addressReference);
  return [objectKey('Pod', targetRef.namespace || namespace, targetRef.name)];
}
