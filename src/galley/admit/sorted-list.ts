/** One list in a fixed order that publishes itself as an array: the same array as long as nothing changed. */
export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number;
  #published: readonly T[] = [];
  readonly #removed = new Set<T>();
  readonly #added = new Set<T>();

  /** `compare` must tell any two items apart. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  add(item: T): void {
    if (!this.#removed.delete(item)) this.#added.add(item);
  }

  remove(item: T): void {
    if (!this.#added.delete(item)) this.#removed.add(item);
  }

  /** Finds the places of changed items by bisection; the others are copied, never compared. */
  publish(): readonly T[] {
    if (this.#removed.size === 0 && this.#added.size === 0) return this.#published;
    const added = [...this.#added].sort(this.#compare);
    const removed = [...this.#removed].map((item) => this.#place(item)).sort((a, b) => a - b);
    const places = added.map((item) => this.#place(item));
    this.#added.clear();
    this.#removed.clear();
    this.#published = merge(this.#published, { added, places, removed });
    return this.#published;
  }

  /** The index of the first item that does not come before `item`. */
  #place(item: T): number {
    let low = 0;
    let high = this.#published.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#published[middle];
      if (other !== undefined && this.#compare(other, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

type Edits<T> = {
  readonly added: readonly T[];
  readonly places: readonly number[];
  readonly removed: readonly number[];
};

function merge<T>(list: readonly T[], { added, places, removed }: Edits<T>): readonly T[] {
  const merged: T[] = [];
  let nextAdded = 0;
  let nextRemoved = 0;
  for (let index = 0; index <= list.length; index += 1) {
    for (; places[nextAdded] === index; nextAdded += 1) {
      const item = added[nextAdded];
      if (item !== undefined) merged.push(item);
    }
    const item = list[index];
    if (removed[nextRemoved] === index) nextRemoved += 1;
    else if (item !== undefined) merged.push(item);
  }
  return merged;
}
