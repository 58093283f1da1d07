import { type NameSet, noNames } from './name-pool.ts';
import type { EncodedResource } from './resource.ts';
import type { ServedSet } from './served-set.ts';

/** What a client has of one name. Of what it brought from an earlier stream only the version is known. */
export type Held = EncodedResource | Resumed;
export type Resumed = { readonly version: string; readonly needs: undefined; readonly frame: undefined };

/** By name, what a client has where that is not what the set it is in step with says; `undefined`: nothing. */
export type Overlay = ReadonlyMap<string, Held | undefined>;

/** A client's holdings at one moment: a shared set plus the differences to it. */
export type Holdings = { readonly synced: ServedSet | undefined; readonly overlay: Overlay };

export function heldIn({ synced, overlay }: Holdings, name: string): Held | undefined {
  if (overlay.size > 0 && overlay.has(name)) return overlay.get(name);
  return synced?.get(name);
}

/**
 * What one client subscribes to and has of one type. Takes memory only where the client differs from the others: the pointer
 * to the shared set, the shared set of names, and a small overlay.
 */
export class ClientState {
  #wildcard = false;
  #names: NameSet = noNames;
  #synced: ServedSet | undefined;
  #overlay = new Map<string, Held | undefined>();

  get wildcard(): boolean {
    return this.#wildcard;
  }

  get names(): NameSet {
    return this.#names;
  }

  get holdings(): Holdings {
    return { synced: this.#synced, overlay: this.#overlay };
  }

  covers(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }

  held(name: string): Held | undefined {
    return this.covers(name) ? heldIn(this.holdings, name) : undefined;
  }

  setNames(names: NameSet): void {
    const before = this.#names;
    this.#names = names;
    if (this.#wildcard || names === before) return;
    // The pointer speaks for every name of the set: a name that was not subscribed to is not held, whatever the set says.
    if (this.#synced !== undefined) for (const name of names) if (!before.has(name)) this.#overlay.set(name, undefined);
    for (const name of this.#overlay.keys()) if (!names.has(name)) this.#overlay.delete(name);
  }

  setWildcard(wildcard: boolean): void {
    if (wildcard === this.#wildcard) return;
    const explicit = [...this.#names].map((name) => [name, heldIn(this.holdings, name)] as const);
    this.#wildcard = wildcard;
    if (wildcard) {
      this.#synced = undefined;
      this.#overlay = new Map(explicit.filter(([, held]) => held !== undefined));
    } else {
      for (const name of this.#overlay.keys()) if (!this.#names.has(name)) this.#overlay.delete(name);
    }
  }

  /** Takes over what the client says it has from an earlier stream. */
  resume(versions: ReadonlyMap<string, string>): void {
    for (const [name, version] of versions) this.#overlay.set(name, { version, needs: undefined, frame: undefined });
  }

  /** The client is in step with a set, apart from the names in `overlay`. */
  sync(synced: ServedSet, overlay: Map<string, Held | undefined>): void {
    this.#synced = synced;
    this.#overlay = overlay;
  }

  /** Takes rejected resources back to what the client had of them at an earlier moment, unless something was noted since. */
  rollBack(rejected: Iterable<EncodedResource>, before: Holdings): void {
    for (const resource of rejected) {
      const { name } = resource;
      const isNotedSince = this.#overlay.has(name) && this.#overlay.get(name) !== resource;
      if (this.covers(name) && !isNotedSince) this.#overlay.set(name, heldIn(before, name));
    }
  }

  /** The names on which the client may differ from `target`. */
  candidates(target: ServedSet, owed: ReadonlySet<string>): readonly string[] {
    const names = this.#differences(target);
    // Every name, then: also those that are owed.
    if (!this.#wildcard && this.#synced === undefined && this.#overlay.size === 0) return names;
    if (this.#overlay.size === 0 && owed.size === 0) return names;
    const all = new Set([...names, ...this.#overlay.keys(), ...owed]);
    return [...all];
  }

  #differences(target: ServedSet): readonly string[] {
    if (this.#synced === target) return [];
    if (this.#wildcard) return target.diffFrom(this.#synced).names;
    if (this.#synced === undefined) return [...this.#names];
    const { names } = target.diffFrom(this.#synced);
    return names.filter((name) => this.#names.has(name));
  }
}
