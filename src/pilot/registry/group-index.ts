import type { ListChange } from './list-change.ts';

export type GroupIndexOptions<V, G> = {
  readonly groupsOf: (value: V) => Iterable<G>;
  readonly compare: (a: V, b: V) => number;
};

/** Values by group, each group in order. A group that no change touched keeps its array. */
export class GroupIndex<V, G> {
  readonly #options: GroupIndexOptions<V, G>;
  readonly #groups = new Map<G, readonly V[]>();

  constructor(options: GroupIndexOptions<V, G>) {
    this.#options = options;
  }

  get(group: G): readonly V[] {
    return this.#groups.get(group) ?? [];
  }

  has(group: G): boolean {
    return this.#groups.has(group);
  }

  groups(): Iterable<G> {
    return this.#groups.keys();
  }

  /** Returns the groups whose members are no longer the same. */
  apply(change: ListChange<V>): ReadonlySet<G> {
    const gone = this.#byGroup(change.removed);
    const come = this.#byGroup(change.added);
    const touched = new Set([...gone.keys(), ...come.keys()]);
    const alone = new Map<V, readonly V[]>();
    for (const group of touched) {
      const left = gone.get(group);
      const stayed = left === undefined ? this.get(group) : this.get(group).filter((value) => !left.has(value));
      const members = [...stayed, ...(come.get(group) ?? [])].sort(this.#options.compare);
      if (members.length === 0) this.#groups.delete(group);
      else this.#groups.set(group, members.length === 1 ? shared(alone, members) : members);
    }
    return touched;
  }

  #byGroup(values: readonly V[]): ReadonlyMap<G, ReadonlySet<V>> {
    const groups = new Map<G, Set<V>>();
    for (const value of values) {
      for (const group of new Set(this.#options.groupsOf(value))) {
        const members = groups.get(group);
        if (members === undefined) groups.set(group, new Set([value]));
        else members.add(value);
      }
    }
    return groups;
  }
}

/** What is alone in many groups is so in one array. */
function shared<V>(alone: Map<V, readonly V[]>, members: readonly V[]): readonly V[] {
  const [value] = members;
  if (value === undefined) return members;
  const known = alone.get(value);
  if (known !== undefined) return known;
  alone.set(value, members);
  return members;
}
