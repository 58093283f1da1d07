import { memoByIdentity } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ServiceKey } from '../../model/ids.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import type { Service } from '../../model/service.ts';
import { AliasBook } from './alias-book.ts';
import { AutoAddressBook } from './auto-address-book.ts';
import { diagnose } from './diagnose.ts';
import { agreeing, buildEntryService, diagnoseEntries, type EntrySources, wantsAutoAddress } from './entry-service.ts';
import { GroupIndex } from './group-index.ts';
import { buildKubernetesService, lacksAddress, type ServiceContext } from './kubernetes-service.ts';
import { type Labels, SelectorIndex } from './label-index.ts';
import { changeOf, type ListChange } from './list-change.ts';
import { keepIfSameValue } from './same-value.ts';
import {
  compareSources,
  type EntrySource,
  hasSelector,
  type KubernetesSource,
  type ServiceSource,
  sourceOfService,
  sourcesOfEntry,
} from './service-source.ts';
import { TRAFFIC_DISTRIBUTION } from './traffic-distribution.ts';

export type ServiceInputs = {
  readonly services: readonly ConfigObject<'Service'>[];
  readonly entries: readonly ConfigObject<'ServiceEntry'>[];
  readonly namespaces: readonly ConfigObject<'Namespace'>[];
  /** The mesh's part of the context: another object means that every service is looked at again. */
  readonly context: Pick<ServiceContext, 'trustDomain' | 'defaultExportTo'>;
};

export type ServiceChange = {
  readonly sources: ListChange<ServiceSource>;
  /** Services whose objects moved, even if the service is still the same. */
  readonly touched: ReadonlySet<ServiceKey>;
  readonly services: ListChange<Service>;
};

/** What a service is made of: the objects that have a say in it. */
export type Sources = { readonly kubernetes: KubernetesSource | undefined; readonly entries: readonly EntrySource[] };

/** Services by key, from Kubernetes Services and ServiceEntries. */
export class ServiceIndex {
  readonly #sourceOf: (object: ConfigObject<'Service'>) => KubernetesSource;
  readonly #sourcesOf = memoByIdentity(sourcesOfEntry);
  readonly #byKey = new GroupIndex<ServiceSource, ServiceKey>({
    groupsOf: ({ key }) => [key],
    compare: compareSources,
  });
  readonly #keysByNamespace = new Map<string, Set<ServiceKey>>();
  readonly #selectors = new SelectorIndex<ServiceSource & { readonly selector: Labels }>();
  readonly #addresses = new AutoAddressBook();
  readonly #aliases = new AliasBook();
  readonly #distributions = new Map<string, string>();
  readonly #services = new Map<ServiceKey, Service>();
  readonly #diagnostics = new Map<ServiceKey, readonly Diagnostic[]>();
  #inputs: ServiceInputs | undefined;

  constructor(domainSuffix: string) {
    this.#sourceOf = memoByIdentity((object) => sourceOfService(object, domainSuffix));
  }

  get(key: ServiceKey): Service | undefined {
    return this.#services.get(key);
  }

  sources(key: ServiceKey): Sources {
    const { kubernetes, entries } = split(this.#byKey.get(key));
    return { kubernetes, entries: isSome(entries) && kubernetes === undefined ? agreeing(entries) : entries };
  }

  /** Every object that claims the host name, whether or not it has a say. */
  claims(key: ServiceKey): readonly ServiceSource[] {
    return this.#byKey.get(key);
  }

  /** What selects a workload with these labels, what has more of a say first. */
  selecting(workload: { readonly namespace: string; readonly labels: Labels }): readonly ServiceSource[] {
    return this.#selectors.selecting(workload).toSorted(compareSources);
  }

  diagnostics(): readonly Diagnostic[] {
    return [...[...this.#diagnostics.values()].flat(), ...this.#addresses.diagnostics()];
  }

  update(inputs: ServiceInputs): ServiceChange {
    const before = this.#inputs;
    this.#inputs = inputs;
    const sources = this.#sourceChange(before, inputs);
    const touched = this.#byKey.apply(sources);
    this.#selectors.apply({ removed: sources.removed.filter(hasSelector), added: sources.added.filter(hasSelector) });
    for (const key of touched) this.#file(key);
    const readdressed = this.#addresses.update([...touched].map((key) => [key, this.#addressWish(key)]));
    const renamed = this.#aliases.update([...touched].map((key) => [key, this.#byKey.get(key)[0]]));
    const dirty = new Set([...touched, ...readdressed, ...renamed, ...this.#redistributed(before, inputs)]);
    const everything = before !== undefined && before.context !== inputs.context;
    return {
      sources,
      touched,
      services: this.#rebuild(everything ? new Set([...dirty, ...this.#byKey.groups()]) : dirty),
    };
  }

  #sourceChange(before: ServiceInputs | undefined, now: ServiceInputs): ListChange<ServiceSource> {
    const services = changeOf(before?.services ?? [], now.services);
    const entries = changeOf(before?.entries ?? [], now.entries);
    return {
      removed: [...services.removed.map(this.#sourceOf), ...entries.removed.flatMap(this.#sourcesOf)],
      added: [...services.added.map(this.#sourceOf), ...entries.added.flatMap(this.#sourcesOf)],
    };
  }

  #file(key: ServiceKey): void {
    const namespace = key.slice(0, key.indexOf('/'));
    const keys = this.#keysByNamespace.get(namespace) ?? new Set();
    this.#keysByNamespace.set(namespace, keys);
    if (this.#byKey.has(key)) keys.add(key);
    else keys.delete(key);
  }

  #addressWish(key: ServiceKey): ServiceSource | undefined {
    const { kubernetes, entries } = split(this.#byKey.get(key));
    if (kubernetes !== undefined) return lacksAddress(kubernetes.object.spec) ? kubernetes : undefined;
    return isSome(entries) && wantsAutoAddress(entries) ? entries[0] : undefined;
  }

  /** Services of namespaces whose annotation is another one. */
  #redistributed(before: ServiceInputs | undefined, now: ServiceInputs): readonly ServiceKey[] {
    const { removed, added } = changeOf(before?.namespaces ?? [], now.namespaces);
    const next = new Map<string, string | undefined>(removed.map(({ meta }) => [meta.name, undefined]));
    for (const { meta } of added) next.set(meta.name, meta.annotations[TRAFFIC_DISTRIBUTION]);
    return [...next].flatMap(([namespace, distribution]) => {
      if (this.#distributions.get(namespace) === distribution) return [];
      if (distribution === undefined) this.#distributions.delete(namespace);
      else this.#distributions.set(namespace, distribution);
      return [...(this.#keysByNamespace.get(namespace) ?? [])];
    });
  }

  #rebuild(keys: Iterable<ServiceKey>): ListChange<Service> {
    const removed: Service[] = [];
    const added: Service[] = [];
    for (const key of keys) {
      const known = this.#services.get(key);
      const next = this.#build(key);
      const kept = next === undefined ? undefined : keepIfSameValue(known, next);
      if (kept === known) continue;
      if (known !== undefined) removed.push(known);
      if (kept === undefined) this.#services.delete(key);
      else {
        this.#services.set(key, kept);
        added.push(kept);
      }
    }
    return { removed, added };
  }

  #build(key: ServiceKey): Service | undefined {
    const { kubernetes, entries } = split(this.#byKey.get(key));
    this.#diagnose(key, kubernetes, entries);
    const first = kubernetes ?? entries[0];
    const inputs = this.#inputs;
    if (first === undefined || inputs === undefined || this.#aliases.isAlias(key)) return undefined;
    const context: ServiceContext = {
      ...inputs.context,
      namespaceDistribution: this.#distributions.get(first.namespace),
      autoAddress: this.#addresses.get(key),
      aliases: this.#aliases.of(first.hostname),
    };
    if (kubernetes !== undefined) return buildKubernetesService(kubernetes, context);
    return isSome(entries) ? buildEntryService(entries, context) : undefined;
  }

  #diagnose(key: ServiceKey, kubernetes: KubernetesSource | undefined, entries: readonly EntrySource[]): void {
    const diagnostics = diagnoseSources(kubernetes, entries);
    if (diagnostics.length === 0) this.#diagnostics.delete(key);
    else this.#diagnostics.set(key, diagnostics);
  }
}

function diagnoseSources(
  kubernetes: KubernetesSource | undefined,
  entries: readonly EntrySource[],
): readonly Diagnostic[] {
  if (kubernetes === undefined) return isSome(entries) ? diagnoseEntries(entries) : [];
  return entries.map(({ object, hostname }) =>
    diagnose({
      level: 'info',
      code: 'XEB2005',
      object: refOf(object),
      path: ['spec', 'hosts'],
      message: `host ${hostname} is ${renderRef(refOf(kubernetes.object))}: only this entry's endpoints are used, at the Service's ports`,
    }),
  );
}

function split(sources: readonly ServiceSource[]): {
  readonly kubernetes: KubernetesSource | undefined;
  readonly entries: readonly EntrySource[];
} {
  return {
    kubernetes: sources.find((source) => source.kind === 'kubernetes'),
    entries: sources.filter((source) => source.kind === 'entry'),
  };
}

function isSome(entries: readonly EntrySource[]): entries is EntrySources {
  return entries.length > 0;
}
