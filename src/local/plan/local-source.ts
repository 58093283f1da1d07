import type { Issue } from '../../apis/issue.ts';
import { deploymentSchema } from '../../apis/kubernetes/deployment.ts';
import { serviceSchema } from '../../apis/kubernetes/service.ts';
import { compareText } from '../../kit/order.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import { ServiceAddresses } from './addresses.ts';
import {
  buildNode,
  buildPod,
  buildSlices,
  needsAddress,
  type PodState,
  type RawObject,
  type RawUpdate,
  type ServiceInput,
  selects,
  withAddress,
} from './objects.ts';
import { type PodPlan, planPods } from './pod-plan.ts';

/** What the control plane gives a source to fill. */
export interface ObjectSink {
  apply(update: RawUpdate): void;
  synced(): void;
}

export interface ObjectSource {
  readonly name: string;
  run(sink: ObjectSink, signal: AbortSignal): Promise<void>;
}

/** Who runs the pods: told what should be, asked what is. */
export interface PodHost {
  setPlans(plans: readonly PodPlan[]): void;
  readonly states: readonly PodState[];
}

/**
 * The folder's objects, and beside them what Kubernetes' controllers would have made of them: addresses for services,
 * pods, EndpointSlices, a node. It owns the mapping from Deployments to pods, and never touches a process.
 */
export class LocalSource implements ObjectSource {
  readonly name = 'local mode';
  readonly #folder: ObjectSource;
  readonly #pods: PodHost;
  readonly #onChange: () => void;
  readonly #addresses = new ServiceAddresses();
  readonly #services = new Map<ObjectKey, { readonly raw: RawObject; readonly input: ServiceInput }>();
  readonly #plans = new Map<ObjectKey, readonly PodPlan[]>();
  readonly #issues = new Map<ObjectKey, readonly Diagnostic[]>();
  readonly #nodes = new Set<ObjectKey>();
  #folderDiagnostics: readonly Diagnostic[] = [];
  #derived = new Map<ObjectKey, { readonly object: RawObject; readonly text: string }>();
  #sink: ObjectSink | undefined;
  #synced = false;

  constructor(inputs: { readonly folder: ObjectSource; readonly pods: PodHost; readonly onChange: () => void }) {
    this.#folder = inputs.folder;
    this.#pods = inputs.pods;
    this.#onChange = inputs.onChange;
  }

  /** Whether all that the folder held at the start has arrived. */
  get isSynced(): boolean {
    return this.#synced;
  }

  /** What keeps Deployments of the folder from running, and what the folder itself complains of. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.#folderDiagnostics, ...[...this.#issues.values()].flat()];
  }

  get services(): readonly ServiceInput[] {
    return [...this.#services.values()].map(({ input }) => input);
  }

  /**
   * The addresses of a service by its whole name, or of a headless one's pods, as a Kubernetes cluster's DNS has them. A pod
   * without Envoy has nobody who would lead it from a service's address to a pod, so it is told the pods of every service.
   */
  resolve(name: string, asker = ''): readonly string[] | undefined {
    const [, service = '', namespace = ''] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(name) ?? [];
    const key = objectKey('Service', namespace, service);
    const input = this.#services.get(key)?.input;
    if (input === undefined || input.spec.type === 'ExternalName') return undefined;
    const asked = input.spec.clusterIPs[0];
    const isPlain = this.#pods.states.some(({ plan, address }) => address === asker && plan.kind === 'none');
    if (asked === 'None' || (isPlain && Object.keys(input.spec.selector).length > 0)) {
      const pods = this.#pods.states.filter(({ plan, ready }) => ready && selects(input, plan));
      return pods.map(({ address }) => address);
    }
    return [asked ?? this.#addresses.get(key)];
  }

  async run(sink: ObjectSink, signal: AbortSignal): Promise<void> {
    this.#sink = sink;
    const apply = (update: RawUpdate): void => this.#take(update, sink);
    const synced = (): void => {
      this.#synced = true;
      this.#planPods();
      this.refresh();
      sink.synced();
      this.#onChange();
    };
    await this.#folder.run({ apply, synced }, signal);
  }

  /** Tells the control plane what moved among the pods. */
  refresh(): void {
    if (this.#sink === undefined || !this.#synced) return;
    const update = this.#derive();
    if (update.upserts.length > 0 || update.deletes.length > 0) this.#sink.apply(update);
  }

  #take(update: RawUpdate, sink: ObjectSink): void {
    for (const key of update.deletes) this.#remove(key);
    const passed = update.upserts.map((object) => this.#upsert(object));
    if (update.diagnostics !== undefined) this.#folderDiagnostics = update.diagnostics;
    const derived = this.#synced ? this.#deriveAfterPlanning() : { upserts: [], deletes: [] };
    sink.apply({
      upserts: [...passed, ...derived.upserts],
      deletes: [...update.deletes, ...derived.deletes],
      diagnostics: this.diagnostics,
    });
    this.#onChange();
  }

  #deriveAfterPlanning(): RawUpdate {
    this.#planPods();
    return this.#derive();
  }

  #remove(key: ObjectKey): void {
    this.#services.delete(key);
    this.#plans.delete(key);
    this.#issues.delete(key);
    this.#nodes.delete(key);
  }

  #upsert(object: RawObject): RawObject {
    if (object.kind === 'Service') return this.#upsertService(object);
    if (object.kind === 'Deployment') this.#upsertDeployment(object);
    if (object.kind === 'Node') this.#nodes.add(object.key);
    return object;
  }

  #upsertService(object: RawObject): RawObject {
    const { data: spec } = serviceSchema.safeParse(object.body);
    if (spec === undefined) return object;
    const input = { meta: object.meta, spec };
    this.#services.set(object.key, { raw: object, input });
    const asked = spec.clusterIPs[0];
    if (asked !== undefined && asked !== 'None') this.#addresses.reserve(object.key, asked);
    return needsAddress(input) ? withAddress(object, this.#addresses.get(object.key)) : object;
  }

  /** A Deployment that cannot be planned keeps the pods it has. */
  #upsertDeployment(object: RawObject): void {
    const { data: spec } = deploymentSchema.safeParse(object.body);
    if (spec === undefined) return;
    const planned = planPods({ meta: object.meta, spec });
    if (planned.ok) this.#plans.set(object.key, planned.value);
    this.#issues.set(object.key, planned.ok ? [] : planned.error.map((issue) => diagnosticOf(object, issue)));
  }

  #planPods(): void {
    const byKey = [...this.#plans].sort(([a], [b]) => compareText(a, b));
    this.#pods.setPlans(byKey.flatMap(([, plans]) => plans));
  }

  #derive(): RawUpdate {
    const states = this.#pods.states;
    const objects = [
      ...(this.#nodes.has(objectKey('Node', '', 'local')) ? [] : [buildNode()]),
      ...states.map(buildPod),
      ...[...this.#services.values()].flatMap(({ input }) => buildSlices(input, states)),
    ];
    const next = new Map(objects.map((object) => [object.key, { object, text: JSON.stringify(object.body) }]));
    const upserts = [...next].filter(([key, { text }]) => this.#derived.get(key)?.text !== text);
    const deletes = [...this.#derived.keys()].filter((key) => !next.has(key));
    this.#derived = next;
    return { upserts: upserts.map(([, { object }]) => object), deletes };
  }
}

function diagnosticOf(object: RawObject, issue: Issue): Diagnostic {
  const { kind, meta } = object;
  return {
    ...issue,
    object: { kind, namespace: meta.namespace, name: meta.name },
    at: object.locate?.(issue.path),
  };
}
