import { KeyedMemo, keepIfSame } from '../../kit/memo.ts';
import type { Visibility } from '../../model/service.ts';

export type Visible = { readonly visibility: Visibility };

/**
 * A list of the mesh as each namespace sees it. What is public is one list for all; only a namespace to which something is
 * exported by name has one of its own. Lists that did not change stay the same arrays.
 */
export class VisibleList<T extends Visible> {
  readonly #compare: (a: T, b: T) => number;
  readonly #merged: KeyedMemo<string, Parts<T>, readonly T[]>;
  #items: readonly T[] | undefined;
  #shared: readonly T[] = [];
  #byNamespace: ReadonlyMap<string, readonly T[]> = new Map();

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
    this.#merged = new KeyedMemo(({ shared, own }: Parts<T>) => [...shared, ...own].sort(this.#compare));
  }

  /** Takes the list as it is now, in the order of `compare`. */
  update(items: readonly T[]): void {
    if (items === this.#items) return;
    this.#items = items;
    this.#shared = keepIfSame(
      this.#shared,
      items.filter(({ visibility }) => visibility.kind === 'public'),
    );
    const before = this.#byNamespace;
    const next = exportedByName(items);
    this.#byNamespace = new Map(
      [...next].map(([namespace, own]) => [namespace, keepIfSame(before.get(namespace), own)]),
    );
    this.#merged.retain(this.#byNamespace);
  }

  in(namespace: string): readonly T[] {
    const own = this.#byNamespace.get(namespace);
    return own === undefined ? this.#shared : this.#merged.get(namespace, { shared: this.#shared, own });
  }
}

type Parts<T> = { readonly shared: readonly T[]; readonly own: readonly T[] };

function exportedByName<T extends Visible>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const byNamespace = new Map<string, T[]>();
  for (const item of items) {
    if (item.visibility.kind === 'public') continue;
    for (const namespace of item.visibility.namespaces) {
      const known = byNamespace.get(namespace);
      if (known === undefined) byNamespace.set(namespace, [item]);
      else known.push(item);
    }
  }
  return byNamespace;
}
