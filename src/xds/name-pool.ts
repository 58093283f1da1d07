/** An immutable set of subscribed names. `sum` adds up over names, so that it is known for a changed set without a full pass. */
export type NameSet = ReadonlySet<string> & { readonly sum: number };

/** Smaller sets are not worth sharing. */
const MIN_SHARED = 16;

class SummedSet extends Set<string> {
  sum = 0;
}

export const noNames: NameSet = new SummedSet();

/**
 * Shares equal name sets among streams: a thousand proxies of one view subscribe to the same thousand names, and would otherwise
 * each keep a set and a copy of every name.
 */
export class NamePool {
  readonly #sets = new Map<string, readonly WeakRef<NameSet>[]>();
  #pruneAt = 64;

  /** `base` with and without some names; `base` itself when that changes nothing. `without` wins over `add`. */
  change(base: NameSet, add: Iterable<string>, without: ReadonlySet<string>): NameSet {
    const added = new Set<string>();
    for (const name of add) if (!base.has(name) && !without.has(name)) added.add(name);
    const dropped = [...without].filter((name) => base.has(name));
    if (added.size === 0 && dropped.length === 0) return base;

    const expected = {
      base,
      added,
      without,
      size: base.size + added.size - dropped.length,
      sum: base.sum + sumOf(added) - sumOf(dropped),
    };
    if (expected.size === 0) return noNames;
    if (expected.size < MIN_SHARED) return make(expected);
    const key = `${expected.size}:${expected.sum}`;
    const known = this.#sets.get(key) ?? [];
    for (const reference of known) {
      const candidate = reference.deref();
      if (candidate !== undefined && equals(candidate, expected)) return candidate;
    }
    const made = make(expected);
    this.#sets.set(key, [...known, new WeakRef(made)]);
    this.#pruneNowAndThen();
    return made;
  }

  #pruneNowAndThen(): void {
    if (this.#sets.size < this.#pruneAt) return;
    for (const [key, references] of this.#sets) {
      const live = references.filter((reference) => reference.deref() !== undefined);
      if (live.length === 0) this.#sets.delete(key);
      else this.#sets.set(key, live);
    }
    this.#pruneAt = Math.max(64, 2 * this.#sets.size);
  }
}

type Expected = {
  readonly base: NameSet;
  readonly added: ReadonlySet<string>;
  readonly without: ReadonlySet<string>;
  readonly size: number;
  readonly sum: number;
};

function make({ base, added, without, sum }: Expected): NameSet {
  const set = new SummedSet();
  for (const name of base) if (!without.has(name)) set.add(name);
  for (const name of added) set.add(name);
  set.sum = sum;
  return set;
}

function equals(candidate: NameSet, { base, added, without, size }: Expected): boolean {
  if (candidate.size !== size) return false;
  for (const name of added) if (!candidate.has(name)) return false;
  for (const name of base) if (!without.has(name) && !candidate.has(name)) return false;
  return true;
}

/** Sums of 32-bit hashes stay exact in a double for two million names. */
function sumOf(names: Iterable<string>): number {
  let sum = 0;
  for (const name of names) sum += hash(name);
  return sum;
}

/** FNV-1a over UTF-16 code units. Only spreads keys: equality is always checked. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
