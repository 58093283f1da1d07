type Entry<Inputs, Out> = { readonly inputs: Inputs; readonly output: Out };

/**
 * Remembers one output per key and builds it again only when a field of the inputs is another object (`Object.is`).
 * The inputs record is the cache key: a dependency that was forgotten cannot be read by `build`.
 */
export class KeyedMemo<K, Inputs extends Readonly<Record<string, unknown>>, Out> {
  readonly #build: (inputs: Inputs, key: K) => Out;
  readonly #entries = new Map<K, Entry<Inputs, Out>>();

  constructor(build: (inputs: Inputs, key: K) => Out) {
    this.#build = build;
  }

  get(key: K, inputs: Inputs): Out {
    const known = this.#entries.get(key);
    if (known !== undefined && sameFields(known.inputs, inputs)) return known.output;
    const output = this.#build(inputs, key);
    this.#entries.set(key, { inputs, output });
    return output;
  }

  /** Forgets every key that is not in `live`. */
  retain(live: { has(key: K): boolean }): void {
    for (const key of this.#entries.keys()) if (!live.has(key)) this.#entries.delete(key);
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** Remembers the last output only, for a step that is always asked about the newest inputs. */
export function latest<Inputs extends Readonly<Record<string, unknown>>, Out>(
  build: (inputs: Inputs, previous: Out | undefined) => Out,
): (inputs: Inputs) => Out {
  let known: Entry<Inputs, Out> | undefined;
  return (inputs) => {
    if (known === undefined || !sameFields(known.inputs, inputs))
      known = { inputs, output: build(inputs, known?.output) };
    return known.output;
  };
}

/** Whether two records of the same shape hold the same objects. */
export function sameFields<T extends Readonly<Record<string, unknown>>>(a: T, b: T): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.is(a[key], b[key]));
}

/** Whether two lists hold the same objects in the same order. */
export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => Object.is(item, b[index])));
}

/** Returns `previous` when it holds the same objects as `next`, so that sameness travels downstream. */
export function keepIfSame<T>(previous: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  return previous !== undefined && sameItems(previous, next) ? previous : next;
}

/** Memoises a pure function of one object by that object's identity; entries go with the object. */
export function memoByIdentity<In extends object, Out>(build: (input: In) => Out): (input: In) => Out {
  const known = new WeakMap<In, { readonly output: Out }>();
  return (input) => {
    const entry = known.get(input);
    if (entry !== undefined) return entry.output;
    const output = build(input);
    known.set(input, { output });
    return output;
  };
}
