import { keepIfSame } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { HostPod } from '../../model/mesh-snapshot.ts';
import type { ServiceTarget } from '../../model/service.ts';
import { editMap } from './edit-map.ts';
import type { EndpointIndex } from './endpoint-index.ts';
import { type ListChange, moved } from './list-change.ts';
import type { ServiceChange, ServiceIndex } from './service-index.ts';
import { hasSelector, type ServiceSource } from './service-source.ts';
import { buildTargets, diagnoseTargets } from './targets.ts';
import type { WorkloadInfo } from './workload.ts';
import type { WorkloadIndex } from './workload-index.ts';

export type TargetCauses = {
  readonly services: ServiceChange;
  readonly workloads: ListChange<WorkloadInfo>;
  /** Addresses that services list by hand. */
  readonly listed: ReadonlySet<string>;
};

/** What each workload serves, by its address, or by its name if it is a pod on its host's network. */
export class TargetIndex {
  readonly #services: ServiceIndex;
  readonly #workloads: WorkloadIndex;
  readonly #endpoints: EndpointIndex;
  readonly #diagnostics = new Map<string, readonly Diagnostic[]>();
  #published: ReadonlyMap<string, readonly ServiceTarget[]> = new Map();
  #hostPods: ReadonlyMap<string, HostPod> = new Map();

  constructor(deps: {
    readonly services: ServiceIndex;
    readonly workloads: WorkloadIndex;
    readonly endpoints: EndpointIndex;
  }) {
    this.#services = deps.services;
    this.#workloads = deps.workloads;
    this.#endpoints = deps.endpoints;
  }

  get byAddress(): ReadonlyMap<string, readonly ServiceTarget[]> {
    return this.#published;
  }

  get hostPods(): ReadonlyMap<string, HostPod> {
    return this.#hostPods;
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#diagnostics.values()].flat();
  }

  update({ services, workloads, listed }: TargetCauses): void {
    const selecting = new Set([
      ...services.sources.removed,
      ...services.sources.added,
      ...moved(services.services).flatMap(({ key }) => this.#services.claims(key)),
      // One claim that comes or goes may give another its say.
      ...[...services.touched].flatMap((key) => this.#services.claims(key)),
    ]);
    const selected = [...selecting].filter(hasSelector).flatMap((source) => this.#workloads.selectedBy(source));
    const affected = [...moved(workloads), ...selected];
    const addresses = affected.flatMap(({ workload }) => workload.addresses);
    this.#rebuild(new Set([...addresses, ...listed]));
    this.#rebuildHostPods(affected.filter(({ ownsAddresses }) => !ownsAddresses));
  }

  #sourcesOf(key: ServiceSource['key']): readonly ServiceSource[] {
    const { kubernetes, entries } = this.#services.sources(key);
    return kubernetes === undefined ? entries : [kubernetes, ...entries];
  }

  #rebuildHostPods(affected: readonly WorkloadInfo[]): void {
    const rebuilt = affected.map((info) => {
      const { name, namespace } = info.workload;
      const key = `${name}.${namespace}`;
      const now = this.#workloads.get(info.key);
      return [key, now && !now.ownsAddresses ? this.#buildHostPod(now, this.#hostPods.get(key)) : undefined] as const;
    });
    for (const [key, pod] of rebuilt) this.#diagnose(key, pod?.targets ?? []);
    this.#hostPods = editMap(this.#hostPods, rebuilt);
  }

  #buildHostPod(info: WorkloadInfo, before: HostPod | undefined): HostPod {
    const { workload } = info;
    const targets = keepTargets(before?.targets, this.#targetsOf('', info));
    return before?.workload === workload && before.targets === targets ? before : { workload, targets };
  }

  #rebuild(addresses: ReadonlySet<string>): void {
    const rebuilt = [...addresses].map((address) => {
      const before = this.#published.get(address);
      const targets = this.#build(address, before);
      if (targets !== before) this.#diagnose(address, targets ?? []);
      return [address, targets] as const;
    });
    this.#published = editMap(this.#published, rebuilt);
  }

  #build(address: string, before: readonly ServiceTarget[] | undefined): readonly ServiceTarget[] | undefined {
    const targets = this.#targetsOf(address, this.#workloads.at(address));
    return targets.length === 0 ? undefined : keepTargets(before, targets);
  }

  #targetsOf(address: string, workload: WorkloadInfo | undefined): readonly ServiceTarget[] {
    const selecting = workload === undefined ? [] : this.#services.selecting(workload);
    return buildTargets({
      address,
      workload,
      selecting: selecting.flatMap((source) => {
        const service = this.#services.get(source.key);
        return service !== undefined && this.#sourcesOf(source.key).includes(source) ? [{ source, service }] : [];
      }),
      listing: [...this.#endpoints.listing(address)].flatMap((key) => {
        const service = this.#services.get(key);
        const endpoints = this.#endpoints.byService.get(key);
        return service === undefined || endpoints === undefined ? [] : [{ service, endpoints }];
      }),
    });
  }

  #diagnose(address: string, targets: readonly ServiceTarget[]): void {
    const diagnostics = diagnoseTargets(targets);
    if (diagnostics.length === 0) this.#diagnostics.delete(address);
    else this.#diagnostics.set(address, diagnostics);
  }
}

function keepTargets(before: readonly ServiceTarget[] = [], next: readonly ServiceTarget[]): readonly ServiceTarget[] {
  const kept = next.map(
    (target) =>
      before.find(
        ({ service, port, targetPort }) =>
          service === target.service && port === target.port && targetPort === target.targetPort,
      ) ?? target,
  );
  return keepIfSame(before, kept);
}
