import type { EncodedResource } from './resource.ts';

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
  #revision = 0;

  /** Changes whenever the set of rejected versions does. */
  get revision(): number {
    return this.#revision;
  }

  isAccepted(resource: EncodedResource): boolean {
    return this.#accepted.has(resource);
  }

  isRejected({ typeUrl, name, version }: EncodedResource): boolean {
    return this.#rejected.get(typeUrl)?.get(name)?.has(version) ?? false;
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
    if (this.isRejected(resource)) this.#forget(resource);
  }

  /** Returns whether the resource is now kept from everybody: not so when somebody runs it. */
  reject(resource: EncodedResource, message: string): boolean {
    if (this.#accepted.has(resource)) return false;
    if (this.isRejected(resource)) return true;
    const { typeUrl, name, version } = resource;
    const names = entryOf(this.#rejected, typeUrl);
    entryOf(names, name).set(version, message);
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
