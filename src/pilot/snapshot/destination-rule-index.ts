import { compareSpecificity } from '../../apis/host.ts';
import { keepIfSame } from '../../kit/memo.ts';
import { sortedEntries } from '../../kit/order.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshDestinationRule } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import { editMap } from '../registry/edit-map.ts';
import { buildVisibility } from '../registry/export-to.ts';
import { GroupIndex } from '../registry/group-index.ts';
import { changeOf } from '../registry/list-change.ts';
import { compareAge } from '../registry/order.ts';
import { sameValue } from '../registry/same-value.ts';
import { completeHostname } from './complete-names.ts';
import { type Merged, mergeDestinationRules } from './merge-destination-rules.ts';

export type DestinationRuleInputs = {
  readonly objects: readonly ConfigObject<'DestinationRule'>[];
  readonly defaultExportTo: readonly string[];
};

/** Rules of one namespace, host and workload selector: those that are merged. As text, so that it can be a key. */
type GroupKey = string;

/** DestinationRules by namespace, merged. */
export class DestinationRuleIndex {
  readonly #domainSuffix: string;
  readonly #groups: GroupIndex<ConfigObject<'DestinationRule'>, GroupKey>;
  readonly #merged = new Map<GroupKey, Merged>();
  readonly #keysByNamespace = new Map<string, Set<GroupKey>>();
  #inputs: DestinationRuleInputs | undefined;
  #published: ReadonlyMap<string, readonly MeshDestinationRule[]> = new Map();

  constructor(domainSuffix: string) {
    this.#domainSuffix = domainSuffix;
    this.#groups = new GroupIndex<ConfigObject<'DestinationRule'>, GroupKey>({
      groupsOf: (object) => [this.#groupOf(object)],
      compare: compareAge,
    });
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#merged.values()].flatMap(({ diagnostics }) => diagnostics);
  }

  update(inputs: DestinationRuleInputs): ReadonlyMap<string, readonly MeshDestinationRule[]> {
    const before = this.#inputs;
    this.#inputs = inputs;
    const touched = this.#groups.apply(changeOf(before?.objects ?? [], inputs.objects));
    const everything = before !== undefined && before.defaultExportTo !== inputs.defaultExportTo;
    const dirty = everything ? new Set([...touched, ...this.#groups.groups()]) : touched;
    const namespaces = new Set([...dirty].map((key) => this.#merge(key)));
    this.#published = editMap(
      this.#published,
      [...namespaces].map((namespace) => [namespace, this.#rulesOf(namespace)] as const),
    );
    return this.#published;
  }

  #groupOf({ meta, spec }: ConfigObject<'DestinationRule'>): GroupKey {
    const host = this.#hostOf(meta.namespace, spec.host);
    const selector =
      spec.workloadSelector === undefined ? [] : [sortedEntries(spec.workloadSelector.matchLabels ?? {})];
    return JSON.stringify([meta.namespace, host, ...selector]);
  }

  #hostOf(namespace: string, host: string): string {
    return completeHostname(host, { namespace, domainSuffix: this.#domainSuffix });
  }

  /** Returns the namespace of the group. */
  #merge(key: GroupKey): string {
    const objects = this.#groups.get(key);
    const [namespace = '', host = ''] = placeOf(key);
    const keys = this.#keysByNamespace.get(namespace) ?? new Set();
    this.#keysByNamespace.set(namespace, keys);
    if (objects.length === 0) {
      this.#merged.delete(key);
      keys.delete(key);
      return namespace;
    }
    const defaultExportTo = this.#inputs?.defaultExportTo ?? [];
    const rules = objects.map((object) => ({
      object,
      visibility: buildVisibility(object.spec.exportTo, namespace, defaultExportTo),
    }));
    const before = this.#merged.get(key)?.rules ?? [];
    const merged = mergeDestinationRules({ host, rules });
    this.#merged.set(key, {
      ...merged,
      rules: merged.rules.map((rule) => before.find((known) => sameValue(known, rule)) ?? rule),
    });
    keys.add(key);
    return namespace;
  }

  /** Most specific host first; of one host those for chosen workloads first, the oldest first. */
  #rulesOf(namespace: string): readonly MeshDestinationRule[] | undefined {
    const keys = [...(this.#keysByNamespace.get(namespace) ?? [])];
    const oldest = keys.flatMap((key) => this.#groups.get(key).slice(0, 1)).sort(compareAge);
    const rules = oldest.flatMap((object) => this.#merged.get(this.#groupOf(object))?.rules ?? []);
    const sorted = rules.sort(
      (a, b) => compareSpecificity(a.host, b.host) || Number(isForAll(a)) - Number(isForAll(b)),
    );
    return sorted.length === 0 ? undefined : keepIfSame(this.#published.get(namespace), sorted);
  }
}

function isForAll({ workloadSelector }: MeshDestinationRule): boolean {
  return workloadSelector === undefined;
}

function placeOf(key: GroupKey): readonly string[] {
  const parts: unknown = JSON.parse(key);
  return Array.isArray(parts) ? parts.filter((part) => typeof part === 'string') : [];
}
