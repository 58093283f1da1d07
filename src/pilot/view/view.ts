import { latest, memoByIdentity } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { XdsSnapshot } from '../../xds/ports.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import { emptyResourceSet, nextResourceSet, type ResourceSet } from '../../xds/resource-set.ts';
import type { Verdicts } from '../../xds/verdicts.ts';
import { ASSIGNMENT_URL, CLUSTER_URL, LISTENER_URL, ROUTE_URL } from '../translate/built.ts';
import { SECRET_URL } from '../translate/secret/file-secret.ts';

/** The set of a list, once somebody made it. */
const setsByList = memoByIdentity((_: Verdicts) => new WeakMap<readonly EncodedResource[], ResourceSet>());

/** One type's resources in one view, from change to change. */
export class SetLine {
  readonly #sets: WeakMap<readonly EncodedResource[], ResourceSet>;
  #set: ResourceSet;
  #lists: readonly (readonly EncodedResource[])[] = [];

  /** Goes on from where another line is: what is refused falls back to what was accepted there. */
  constructor(typeUrl: string, verdicts: Verdicts, before?: SetLine) {
    this.#sets = setsByList(verdicts);
    this.#set = before === undefined ? emptyResourceSet(typeUrl, verdicts) : before.#set;
  }

  /** The set of all resources of the lists; the same object while the lists are, and while nothing in them changed. */
  next(...lists: readonly (readonly EncodedResource[])[]): ResourceSet {
    if (lists.length !== this.#lists.length || lists.some((list, index) => list !== this.#lists[index])) {
      this.#lists = lists;
      const [only, ...others] = lists;
      this.#set =
        only !== undefined && others.length === 0 ? this.#setOf(only) : nextResourceSet(this.#set, lists.flat());
    }
    return this.#set;
  }

  /** Views that get the same list share its set, and with it everything that is known of it. */
  #setOf(list: readonly EncodedResource[]): ResourceSet {
    const known = list.length === 0 ? undefined : this.#sets.get(list);
    if (known !== undefined) return known;
    const set = nextResourceSet(this.#set, list);
    this.#sets.set(list, set);
    return set;
  }
}

/** The sets that only depend on what lies outside the workload: all sidecars with one outbound stage share them. */
export class SharedLines {
  readonly assignments: SetLine;
  readonly routes: SetLine;

  constructor(verdicts: Verdicts, before?: SharedLines) {
    this.assignments = new SetLine(ASSIGNMENT_URL, verdicts, before?.assignments);
    this.routes = new SetLine(ROUTE_URL, verdicts, before?.routes);
  }
}

export type ViewInputs = {
  readonly clusters: readonly EncodedResource[];
  readonly ownClusters: readonly EncodedResource[];
  readonly listeners: readonly EncodedResource[];
  readonly ownListeners: readonly EncodedResource[];
  readonly assignments: readonly EncodedResource[];
  readonly routes: readonly EncodedResource[];
  readonly secrets: readonly EncodedResource[];
};

/** Something that is to be said from a time on, in milliseconds since the epoch. */
export type Ending = { readonly at: number; readonly diagnostic: Diagnostic };

/** What equal proxies get: one set per type. The same snapshot object while nothing in it changes. */
export class View {
  readonly #own: Readonly<Record<'clusters' | 'listeners' | 'secrets', SetLine>>;
  readonly #shared: SharedLines;
  diagnostics: readonly Diagnostic[] = [];
  /** What is to be said later, if nothing changes until then. */
  endings: readonly Ending[] = [];

  constructor(verdicts: Verdicts, shared: SharedLines, before?: View) {
    const past = before === undefined ? undefined : before.#own;
    this.#own = {
      clusters: new SetLine(CLUSTER_URL, verdicts, past?.clusters),
      listeners: new SetLine(LISTENER_URL, verdicts, past?.listeners),
      secrets: new SetLine(SECRET_URL, verdicts, past?.secrets),
    };
    this.#shared = shared;
  }

  snapshot(inputs: ViewInputs): XdsSnapshot {
    return this.#join({
      clusters: this.#own.clusters.next(inputs.clusters, inputs.ownClusters),
      assignments: this.#shared.assignments.next(inputs.assignments),
      listeners: this.#own.listeners.next(inputs.listeners, inputs.ownListeners),
      routes: this.#shared.routes.next(inputs.routes),
      secrets: this.#own.secrets.next(inputs.secrets),
    });
  }

  readonly #join = latest(
    (sets: Readonly<Record<string, ResourceSet>>): XdsSnapshot =>
      new Map(Object.values(sets).map((set) => [set.typeUrl, set])),
  );
}
