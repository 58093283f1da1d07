import type { ConfigSnapshot } from '../../model/config-snapshot.ts';

type Labels = Readonly<Record<string, string>>;

/** The labels of pods, of the pods that Deployments make, and of WorkloadEntries. */
export class WorkloadIndex {
  readonly #byNamespace: ReadonlyMap<string, readonly Labels[]>;

  constructor({ objects }: ConfigSnapshot) {
    const workloads = [
      ...objects.Pod.map(({ meta }) => ({ namespace: meta.namespace, labels: meta.labels })),
      ...objects.Deployment.map(({ meta, spec }) => ({ namespace: meta.namespace, labels: spec.template.labels })),
      ...objects.WorkloadEntry.map(({ meta, spec }) => ({
        namespace: meta.namespace,
        labels: { ...meta.labels, ...spec.labels },
      })),
    ];
    const grouped = Map.groupBy(workloads, (workload) => workload.namespace);
    this.#byNamespace = new Map([...grouped].map(([namespace, list]) => [namespace, list.map(({ labels }) => labels)]));
  }

  /** Without a single workload nothing can be said about workloads: they are somewhere else. */
  get isEmpty(): boolean {
    return this.#byNamespace.size === 0;
  }

  /** The labels of the workloads of a namespace (of all, if absent) that have all these labels. */
  select(selector: Labels, namespace?: string): readonly Labels[] {
    const wanted = Object.entries(selector);
    const workloads =
      namespace === undefined ? [...this.#byNamespace.values()].flat() : (this.#byNamespace.get(namespace) ?? []);
    return workloads.filter((labels) => wanted.every(([key, value]) => labels[key] === value));
  }
}
