import { KeyedMemo } from '../../kit/memo.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Service } from '../../model/service.ts';
import { editMap } from './edit-map.ts';
import { EndpointIndex } from './endpoint-index.ts';
import { GroupIndex } from './group-index.ts';
import { isEmptyChange, type ListChange } from './list-change.ts';
import { buildFindNetwork, type FindNetwork, networkLabel } from './network.ts';
import { compareServices } from './order.ts';
import { keepIfSameValue } from './same-value.ts';
import { ServiceIndex, type ServiceInputs } from './service-index.ts';
import { editSorted } from './sorted-list.ts';
import { TargetIndex } from './target-index.ts';
import { WorkloadIndex } from './workload-index.ts';

/** What is the same for the whole life of a registry. */
export type RegistryOptions = {
  /** Such as `cluster.local`. */
  readonly domainSuffix: string;
  /** The name of this Kubernetes cluster in mesh networks, such as `Kubernetes`. */
  readonly clusterId: string;
};

export type RegistryView = Pick<
  MeshSnapshot,
  | 'services'
  | 'servicesByKey'
  | 'servicesByHostname'
  | 'endpoints'
  | 'workloadsByAddress'
  | 'targetsByAddress'
  | 'hostPods'
>;

type NetworkKey = { readonly networks: ConfigSnapshot['networks']; readonly ownNetwork: string };

/**
 * Services, endpoints and workloads of the mesh, from Kubernetes and ServiceEntries. It keeps indexes from one configuration to
 * the next, so an update costs what moved; what it returns depends on the configuration alone, and what did not move is the
 * same object as before. It knows no proxy and no rule.
 */
export class Registry {
  readonly #workloads = new WorkloadIndex();
  readonly #services: ServiceIndex;
  readonly #endpoints: EndpointIndex;
  readonly #targets: TargetIndex;
  readonly #byHostname = new GroupIndex<Service, string>({
    groupsOf: ({ hostname }) => [hostname],
    compare: compareServices,
  });
  readonly #findNetwork: KeyedMemo<string, NetworkKey, FindNetwork>;
  #context: ServiceInputs['context'] | undefined;
  #view: RegistryView = {
    services: [],
    servicesByKey: new Map(),
    servicesByHostname: new Map(),
    endpoints: new Map(),
    workloadsByAddress: new Map(),
    targetsByAddress: new Map(),
    hostPods: new Map(),
  };

  constructor({ domainSuffix, clusterId }: RegistryOptions) {
    const workloads = this.#workloads;
    this.#services = new ServiceIndex(domainSuffix);
    this.#endpoints = new EndpointIndex({ services: this.#services, workloads, domainSuffix });
    this.#targets = new TargetIndex({ services: this.#services, workloads, endpoints: this.#endpoints });
    this.#findNetwork = new KeyedMemo((key: NetworkKey) => buildFindNetwork({ ...key, clusterId }));
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#services.diagnostics(), ...this.#endpoints.diagnostics(), ...this.#targets.diagnostics()];
  }

  update({ objects, mesh, networks }: ConfigSnapshot): RegistryView {
    const root = objects.Namespace.find(({ meta }) => meta.name === mesh.rootNamespace);
    const findNetwork = this.#findNetwork.get('', { networks, ownNetwork: networkLabel(root?.meta.labels ?? {}) });
    const { trustDomain, defaultServiceExportTo: defaultExportTo } = mesh;
    this.#context = keepIfSameValue(this.#context, { trustDomain, defaultExportTo });
    const { workloads, nodes } = this.#workloads.update({
      pods: objects.Pod,
      nodes: objects.Node,
      entries: objects.WorkloadEntry,
      findNetwork,
    });
    const services = this.#services.update({
      services: objects.Service,
      entries: objects.ServiceEntry,
      namespaces: objects.Namespace,
      context: this.#context,
    });
    const listings = { slices: objects.EndpointSlice, legacy: objects.Endpoints, findNetwork };
    const listed = this.#endpoints.update(listings, { services, workloads, nodes });
    this.#targets.update({ services, workloads, listed });
    this.#view = this.#publish(services.services);
    return this.#view;
  }

  #publish(change: ListChange<Service>): RegistryView {
    const before = this.#view;
    return {
      ...before,
      ...(isEmptyChange(change) ? {} : this.#publishServices(before, change)),
      endpoints: this.#endpoints.byService,
      workloadsByAddress: this.#workloads.byAddress,
      targetsByAddress: this.#targets.byAddress,
      hostPods: this.#targets.hostPods,
    };
  }

  #publishServices(before: RegistryView, change: ListChange<Service>): Partial<RegistryView> {
    const keys = [...change.removed, ...change.added].map(({ key }) => [key, this.#services.get(key)] as const);
    const hostnames = [...this.#byHostname.apply(change)].map(
      (hostname) => [hostname, this.#byHostname.has(hostname) ? this.#byHostname.get(hostname) : undefined] as const,
    );
    return {
      services: editSorted(before.services, change, compareServices),
      servicesByKey: editMap(before.servicesByKey, keys),
      servicesByHostname: editMap(before.servicesByHostname, hostnames),
    };
  }
}
