import type { ListChange } from './list-change.ts';

export type Labels = Readonly<Record<string, string>>;

type Labelled = { readonly namespace: string; readonly labels: Labels };
type Selecting = { readonly namespace: string; readonly selector: Labels };

/** Whether every pair of the selector is among the labels. An empty selector selects everything. */
export function selects(selector: Labels, labels: Labels): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** What carries labels, found by a selector of its namespace in time proportional to its rarest pair. */
export class LabelIndex<T extends Labelled> {
  readonly #byNamespace = new Map<string, Set<T>>();
  readonly #byPair = new Map<string, Set<T>>();

  apply(change: ListChange<T>): void {
    for (const item of change.removed) {
      removeFrom(this.#byNamespace, item.namespace, item);
      for (const pair of pairsOf(item.namespace, item.labels)) removeFrom(this.#byPair, pair, item);
    }
    for (const item of change.added) {
      addTo(this.#byNamespace, item.namespace, item);
      for (const pair of pairsOf(item.namespace, item.labels)) addTo(this.#byPair, pair, item);
    }
  }

  selectedBy({ namespace, selector }: Selecting): readonly T[] {
    let smallest: ReadonlySet<T> | undefined = this.#byNamespace.get(namespace);
    for (const pair of pairsOf(namespace, selector)) {
      const items = this.#byPair.get(pair);
      if (items === undefined || smallest === undefined) return [];
      if (items.size < smallest.size) smallest = items;
    }
    return [...(smallest ?? [])].filter((item) => selects(selector, item.labels));
  }
}

/** What has a selector, found by the labels that it selects in its namespace. */
export class SelectorIndex<T extends Selecting> {
  readonly #byFirstPair = new Map<string, Set<T>>();

  apply(change: ListChange<T>): void {
    for (const item of change.removed) removeFrom(this.#byFirstPair, firstPair(item), item);
    for (const item of change.added) addTo(this.#byFirstPair, firstPair(item), item);
  }

  selecting({ namespace, labels }: Labelled): readonly T[] {
    const found: T[] = [];
    for (const pair of [emptyPair(namespace), ...pairsOf(namespace, labels)]) {
      for (const item of this.#byFirstPair.get(pair) ?? []) if (selects(item.selector, labels)) found.push(item);
    }
    return found;
  }
}

function firstPair({ namespace, selector }: Selecting): string {
  return pairsOf(namespace, selector).sort()[0] ?? emptyPair(namespace);
}

function emptyPair(namespace: string): string {
  return namespace;
}

/** `\n` is in no namespace, label key or value. */
function pairsOf(namespace: string, labels: Labels): string[] {
  return Object.entries(labels).map(([key, value]) => `${namespace}\n${key}\n${value}`);
}

function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

function removeFrom<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
