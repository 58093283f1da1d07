import type { EncodedResource } from './resource.ts';

/** By name and version, the proxy that rejected it. */
type Rejections = Map<string, Map<string, string>>;

/** Rejected versions that are remembered in all; the oldest go first. A forgotten one is merely tried, and rejected, again. */
const REMEMBERED = 10_000;

/**
 * What proxies said of each resource, process-wide. A resource that somebody accepted is good, whatever others say; one that
 * was only ever rejected is not sent again until its content changes. One instance is shared by those who build resource sets
 * and the server.
 */
export class Verdicts {
  readonly #accepted = new WeakSet<EncodedResource>();
  readonly #rejected = new Map<string, Rejections>();
  readonly #order = new Set<EncodedResource>();
  /** Proxies that rejected what others accept: hostile, broken or old. Their word counts for themselves only. */
  readonly #overruled = new Set<string>();
  #revision = 0;
  #acquittals = 0;

  /** Changes whenever the set of rejected versions does. */
  get revision(): number {
    return this.#revision;
  }

  /** How often a rejected version was accepted after all: then those who did not get it must. */
  get acquittals(): number {
    return this.#acquittals;
  }

  isAccepted(resource: EncodedResource): boolean {
    return this.#accepted.has(resource);
  }

  /** The first of some versions that somebody runs. */
  findAccepted(versions: readonly EncodedResource[]): EncodedResource | undefined {
    return versions.find((version) => this.isAccepted(version) && !this.isRejected(version));
  }

  isRejected(resource: EncodedResource): boolean {
    return this.accuserOf(resource) !== undefined;
  }

  /** The names of a type of which at least one version is rejected. */
  rejectedNames(typeUrl: string): Iterable<string> {
    return this.#rejected.get(typeUrl)?.keys() ?? [];
  }

  /** Every rejected resource, oldest first. */
  rejected(): Iterable<EncodedResource> {
    return this.#order;
  }

  accept(resource: EncodedResource): void {
    if (this.#accepted.has(resource)) return;
    this.#accepted.add(resource);
    const accuser = this.accuserOf(resource);
    if (accuser === undefined) return;
    if (this.#overruled.size < REMEMBERED) this.#overruled.add(accuser);
    this.#acquittals += 1;
    this.#forget(resource);
  }

  /** The proxy that rejected the version first. */
  accuserOf({ typeUrl, name, version }: EncodedResource): string | undefined {
    return this.#rejected.get(typeUrl)?.get(name)?.get(version);
  }

  /**
   * Returns whether the resource is now kept from everybody: not so when somebody runs it, nor on the word of a proxy that was
   * overruled before.
   */
  reject(resource: EncodedResource, proxy: string): boolean {
    if (this.isRejected(resource)) return true;
    if (this.#accepted.has(resource) || this.#overruled.has(proxy)) return false;
    const { typeUrl, name, version } = resource;
    entryOf(entryOf(this.#rejected, typeUrl), name).set(version, proxy);
    this.#order.add(resource);
    this.#revision += 1;
    const [oldest] = this.#order;
    if (this.#order.size > REMEMBERED && oldest !== undefined) this.#forget(oldest);
    return true;
  }

  #forget({ typeUrl, name, version }: EncodedResource): void {
    const names = this.#rejected.get(typeUrl);
    const versions = names?.get(name);
    versions?.delete(version);
    if (versions?.size === 0) names?.delete(name);
    if (names?.size === 0) this.#rejected.delete(typeUrl);
    for (const known of this.#order) {
      if (known.typeUrl === typeUrl && known.name === name && known.version === version) this.#order.delete(known);
    }
    this.#revision += 1;
  }
}

function entryOf<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Map<string, V>();
  map.set(key, made);
  return made;
}
