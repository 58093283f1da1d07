import { compareText } from '../../kit/order.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Locality, Workload } from '../../model/service.ts';
import { editMap } from './edit-map.ts';
import { GroupIndex } from './group-index.ts';
import { LabelIndex } from './label-index.ts';
import { changeOf, type ListChange } from './list-change.ts';
import { localityOfNode } from './locality.ts';
import type { FindNetwork } from './network.ts';
import { compareAge } from './order.ts';
import { keepIfSameValue, sameValue } from './same-value.ts';
import { buildEntryWorkload, buildPodWorkload, type WorkloadInfo } from './workload.ts';

export type WorkloadInputs = {
  readonly pods: readonly ConfigObject<'Pod'>[];
  readonly nodes: readonly ConfigObject<'Node'>[];
  readonly entries: readonly ConfigObject<'WorkloadEntry'>[];
  readonly findNetwork: FindNetwork;
};

/** Pods and WorkloadEntries as workloads, by object, by labels and by address. */
export class WorkloadIndex {
  readonly #infos = new Map<ObjectKey, WorkloadInfo>();
  readonly #byLabels = new LabelIndex<WorkloadInfo>();
  readonly #byAddress = new GroupIndex<WorkloadInfo, string>({ groupsOf: ownAddresses, compare: compareClaims });
  readonly #podsByNode = new GroupIndex<ConfigObject<'Pod'>, string>({
    groupsOf: (pod) => (pod.spec.nodeName === '' ? [] : [pod.spec.nodeName]),
    compare: compareAge,
  });
  readonly #localities = new Map<string, Locality>();
  #inputs: WorkloadInputs | undefined;
  #published: ReadonlyMap<string, Workload> = new Map();

  get(key: ObjectKey): WorkloadInfo | undefined {
    return this.#infos.get(key);
  }

  /** Who answers at an address. While a pod ends, its address may already be another's: the living and newest one wins. */
  at(address: string): WorkloadInfo | undefined {
    return this.#byAddress.get(address)[0];
  }

  /** In the order in which they would claim an address. */
  selectedBy(selection: {
    readonly namespace: string;
    readonly selector: WorkloadInfo['labels'];
  }): readonly WorkloadInfo[] {
    return this.#byLabels.selectedBy(selection).toSorted(compareClaims);
  }

  localityOf(node: string | undefined): Locality | undefined {
    return node === undefined ? undefined : this.#localities.get(node);
  }

  get byAddress(): ReadonlyMap<string, Workload> {
    return this.#published;
  }

  /** Returns the workloads that moved and the nodes whose place did. */
  update(inputs: WorkloadInputs): {
    readonly workloads: ListChange<WorkloadInfo>;
    readonly nodes: ReadonlySet<string>;
  } {
    const before = this.#inputs;
    this.#inputs = inputs;
    const nodes = this.#updateNodes(changeOf(before?.nodes ?? [], inputs.nodes));
    const workloads = this.#rebuild(this.#dirty(before, inputs, nodes));
    this.#byLabels.apply(workloads);
    this.#publish(this.#byAddress.apply(workloads));
    return { workloads, nodes };
  }

  #updateNodes({ removed, added }: ListChange<ConfigObject<'Node'>>): ReadonlySet<string> {
    const places = new Map<string, Locality | undefined>(removed.map(({ meta }) => [meta.name, undefined]));
    for (const { meta } of added) places.set(meta.name, localityOfNode(meta.labels));
    const moved = new Set<string>();
    for (const [node, place] of places) {
      if (sameValue(this.#localities.get(node), place)) continue;
      moved.add(node);
      if (place === undefined) this.#localities.delete(node);
      else this.#localities.set(node, place);
    }
    return moved;
  }

  /** What to build again; undefined for what is gone. */
  #dirty(before: WorkloadInputs | undefined, now: WorkloadInputs, nodes: ReadonlySet<string>): Dirty {
    const pods = changeOf(before?.pods ?? [], now.pods);
    const entries = changeOf(before?.entries ?? [], now.entries);
    this.#podsByNode.apply(pods);
    const dirty = new Map<ObjectKey, ConfigObject<'Pod'> | ConfigObject<'WorkloadEntry'> | undefined>();
    if (before !== undefined && before.findNetwork !== now.findNetwork) {
      for (const object of [...now.pods, ...now.entries]) dirty.set(object.key, object);
    }
    for (const node of nodes) for (const pod of this.#podsByNode.get(node)) dirty.set(pod.key, pod);
    for (const object of [...pods.removed, ...entries.removed]) dirty.set(object.key, undefined);
    for (const object of [...pods.added, ...entries.added]) dirty.set(object.key, object);
    return dirty;
  }

  #rebuild(dirty: Dirty): ListChange<WorkloadInfo> {
    const removed: WorkloadInfo[] = [];
    const added: WorkloadInfo[] = [];
    for (const [key, object] of dirty) {
      const known = this.#infos.get(key);
      const built = object === undefined ? undefined : this.#build(object);
      if (sameValue(known, built)) continue;
      const next = built && { ...built, workload: keepIfSameValue(known?.workload, built.workload) };
      if (known !== undefined) removed.push(known);
      if (next === undefined) this.#infos.delete(key);
      else {
        this.#infos.set(key, next);
        added.push(next);
      }
    }
    return { removed, added };
  }

  #build(object: ConfigObject<'Pod'> | ConfigObject<'WorkloadEntry'>): WorkloadInfo | undefined {
    const findNetwork = this.#inputs?.findNetwork ?? (() => '');
    if (isEntry(object)) return buildEntryWorkload({ entry: object, findNetwork });
    return buildPodWorkload({ pod: object, nodeLocality: this.localityOf(object.spec.nodeName), findNetwork });
  }

  #publish(addresses: ReadonlySet<string>): void {
    const claims = [...addresses].map((address) => [address, this.at(address)?.workload] as const);
    this.#published = editMap(this.#published, claims);
  }
}

type Dirty = ReadonlyMap<ObjectKey, ConfigObject<'Pod'> | ConfigObject<'WorkloadEntry'> | undefined>;

function isEntry(object: ConfigObject<'Pod'> | ConfigObject<'WorkloadEntry'>): object is ConfigObject<'WorkloadEntry'> {
  return object.kind === 'WorkloadEntry';
}

function ownAddresses({ ownsAddresses, workload }: WorkloadInfo): readonly string[] {
  return ownsAddresses ? workload.addresses : [];
}

function compareClaims(a: WorkloadInfo, b: WorkloadInfo): number {
  return Number(a.ending) - Number(b.ending) || b.createdAt - a.createdAt || compareText(a.key, b.key);
}
