import { memoByIdentity } from '../../kit/memo.ts';
import { compareText } from '../../kit/order.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { MeshVirtualService, Traced } from '../../model/mesh-snapshot.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { buildVisibility } from '../registry/export-to.ts';
import { GroupIndex } from '../registry/group-index.ts';
import { changeOf, isEmptyChange, moved } from '../registry/list-change.ts';
import { compareAge, createdAt } from '../registry/order.ts';
import { keepIfSameValue } from '../registry/same-value.ts';
import { editSorted } from '../registry/sorted-list.ts';
import { type CompleteVirtualService, completeVirtualService } from './complete-names.ts';
import { type Delegate, delegateKeys, hasHosts, resolveDelegates } from './delegates.ts';

export type VirtualServiceInputs = {
  readonly objects: readonly ConfigObject<'VirtualService'>[];
  readonly defaultExportTo: readonly string[];
};

type Built = { readonly model: MeshVirtualService; readonly diagnostics: readonly Diagnostic[] };

/** VirtualServices as the mesh sees them. One is built again when it, or a delegate of it, is another object. */
export class VirtualServiceIndex {
  readonly #complete: (object: ConfigObject<'VirtualService'>) => CompleteVirtualService;
  readonly #objects = new Map<ObjectKey, ConfigObject<'VirtualService'>>();
  readonly #rootsByDelegate = new GroupIndex<ConfigObject<'VirtualService'>, ObjectKey>({
    groupsOf: delegateKeys,
    compare: compareAge,
  });
  readonly #built = new Map<ObjectKey, Built>();
  #inputs: VirtualServiceInputs | undefined;
  #published: readonly MeshVirtualService[] = [];

  constructor(domainSuffix: string) {
    this.#complete = memoByIdentity((object) => completeVirtualService(object, domainSuffix));
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#built.values()].flatMap(({ diagnostics }) => diagnostics);
  }

  update(inputs: VirtualServiceInputs): readonly MeshVirtualService[] {
    const before = this.#inputs;
    this.#inputs = inputs;
    const change = changeOf(before?.objects ?? [], inputs.objects);
    for (const { key } of change.removed) this.#objects.delete(key);
    for (const object of change.added) this.#objects.set(object.key, object);
    this.#rootsByDelegate.apply(change);
    const dirty = new Set(moved(change).map(({ key }) => key));
    for (const { key } of moved(change)) for (const root of this.#rootsByDelegate.get(key)) dirty.add(root.key);
    const everything = before !== undefined && before.defaultExportTo !== inputs.defaultExportTo;
    this.#rebuild(everything ? new Set([...dirty, ...this.#objects.keys()]) : dirty);
    return this.#published;
  }

  #rebuild(dirty: ReadonlySet<ObjectKey>): void {
    const removed: MeshVirtualService[] = [];
    const added: MeshVirtualService[] = [];
    for (const key of dirty) {
      const before = this.#built.get(key)?.model;
      const object = this.#objects.get(key);
      const built = object === undefined || !hasHosts(object.spec) ? undefined : this.#build(object);
      const model = built && keepIfSameValue(before, built.model);
      if (built === undefined || model === undefined) this.#built.delete(key);
      else this.#built.set(key, { ...built, model });
      if (model === before) continue;
      if (before !== undefined) removed.push(before);
      if (model !== undefined) added.push(model);
    }
    const change = { removed, added };
    if (!isEmptyChange(change)) this.#published = editSorted(this.#published, change, compareVirtualServices);
  }

  #build(object: ConfigObject<'VirtualService'>): Built {
    const { hosts, gateways, http, tls, tcp } = this.#complete(object);
    const delegated = resolveDelegates({ root: object, http, find: (key) => this.#findDelegate(key) });
    const model = {
      object,
      hosts,
      gateways,
      http: delegated.http,
      tls: traceAll(object, 'tls', tls),
      tcp: traceAll(object, 'tcp', tcp),
      visibility: this.#visibilityOf(object),
    };
    return { model, diagnostics: delegated.diagnostics };
  }

  #findDelegate(key: ObjectKey): Delegate | undefined {
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    return { object, http: this.#complete(object).http, visibility: this.#visibilityOf(object) };
  }

  #visibilityOf({ spec, meta }: ConfigObject<'VirtualService'>): MeshVirtualService['visibility'] {
    return buildVisibility(spec.exportTo, meta.namespace, this.#inputs?.defaultExportTo ?? []);
  }
}

function traceAll<Spec>(
  object: ConfigObject<'VirtualService'>,
  list: string,
  specs: readonly Spec[],
): readonly Traced<Spec>[] {
  return specs.map((spec, index) => ({ spec, object: refOf(object), path: `spec.${list}[${index}]` }));
}

/** Oldest first, then by name and namespace. */
export function compareVirtualServices({ object: a }: MeshVirtualService, { object: b }: MeshVirtualService): number {
  return (
    createdAt(a) - createdAt(b) ||
    compareText(a.meta.name, b.meta.name) ||
    compareText(a.meta.namespace, b.meta.namespace)
  );
}
