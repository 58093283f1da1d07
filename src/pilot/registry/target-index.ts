import { keepIfSame } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
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

/** What each workload serves, by its address. */
export class TargetIndex {
  readonly #services: ServiceIndex;
  readonly #workloads: WorkloadIndex;
  readonly #endpoints: EndpointIndex;
  readonly #diagnostics = new Map<string, readonly Diagnostic[]>();
  #published: ReadonlyMap<string, readonly ServiceTarget[]> = new Map();

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
    const addresses = [...moved(workloads), ...selected].flatMap(({ workload }) => workload.addresses);
    this.#rebuild(new Set([...addresses, ...listed]));
  }

  #sourcesOf(key: ServiceSource['key']): readonly ServiceSource[] {
    const { kubernetes, entries } = this.#services.sources(key);
    return kubernetes === undefined ? entries : [kubernetes, ...entries];
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
    const workload = this.#workloads.at(address);
    const selecting = workload === undefined ? [] : this.#services.selecting(workload);
    const targets = buildTargets({
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
    return targets.length === 0 ? undefined : keepTargets(before, targets);
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
