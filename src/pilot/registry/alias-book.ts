import type { ServiceKey } from '../../model/ids.ts';
import type { KubernetesSource, ServiceSource } from './service-source.ts';

/**
 * ExternalNames that lead to a service of the mesh. Kubernetes' DNS says that these are other names of the service and nothing
 * else, whatever ports they list; so they are no services themselves.
 */
export class AliasBook {
  readonly #external = new Map<ServiceKey, KubernetesSource>();
  readonly #keysByHost = new Map<string, Set<ServiceKey>>();
  #standsFor: ReadonlyMap<ServiceKey, string> = new Map();

  isAlias(key: ServiceKey): boolean {
    return this.#standsFor.has(key);
  }

  /** The aliases of a host, in an order that does not depend on history. */
  of(hostname: string): readonly KubernetesSource[] {
    if (this.#standsFor.size === 0) return [];
    const keys = [...this.#standsFor].filter(([, host]) => host === hostname).map(([key]) => key);
    return keys.sort().flatMap((key) => this.#external.get(key) ?? []);
  }

  /** Takes what some keys stand for now, and returns the keys whose services are no longer the same because of it. */
  update(changes: readonly (readonly [ServiceKey, ServiceSource | undefined])[]): readonly ServiceKey[] {
    const wanted = new Set([...this.#external.values()].map(targetOf));
    let isConcerned = false;
    for (const [key, source] of changes) {
      const isExternal = source !== undefined && isExternalName(source);
      isConcerned ||= isExternal || this.#external.has(key) || wanted.has(hostOf(key));
      if (isExternal) this.#external.set(key, source);
      else this.#external.delete(key);
      this.#file(key, source !== undefined);
    }
    if (!isConcerned) return [];
    const before = this.#standsFor;
    this.#standsFor = new Map([...this.#external.keys()].flatMap((key) => this.#resolve(key)));
    const touched = new Set(changes.map(([key]) => key));
    const moved = [...new Set([...before.keys(), ...this.#standsFor.keys()])].filter(
      (key) => touched.has(key) || before.get(key) !== this.#standsFor.get(key),
    );
    const hosts = moved.flatMap((key) => [before.get(key) ?? [], this.#standsFor.get(key) ?? []].flat());
    return [...moved, ...hosts.flatMap((host) => [...(this.#keysByHost.get(host) ?? [])])];
  }

  #file(key: ServiceKey, exists: boolean): void {
    const host = hostOf(key);
    const keys = this.#keysByHost.get(host) ?? new Set();
    if (exists) keys.add(key);
    else keys.delete(key);
    if (keys.size === 0) this.#keysByHost.delete(host);
    else this.#keysByHost.set(host, keys);
  }

  /** Follows names to the last that the mesh knows; names in a circle stand for nothing. */
  #resolve(key: ServiceKey): readonly (readonly [ServiceKey, string])[] {
    const seen = new Set([hostOf(key)]);
    let found: string | undefined;
    for (let next = this.#next(key); next !== undefined; next = this.#nextOf(next)) {
      if (seen.has(next)) return [];
      seen.add(next);
      if (!this.#keysByHost.has(next)) break;
      found = next;
    }
    return found === undefined ? [] : [[key, found]];
  }

  #next(key: ServiceKey): string | undefined {
    const source = this.#external.get(key);
    return source && targetOf(source);
  }

  #nextOf(host: string): string | undefined {
    return [...(this.#keysByHost.get(host) ?? [])].map((key) => this.#next(key)).find((next) => next !== undefined);
  }
}

function isExternalName(source: ServiceSource): source is KubernetesSource {
  return source.kind === 'kubernetes' && source.object.spec.type === 'ExternalName' && targetOf(source) !== '';
}

function targetOf({ object }: KubernetesSource): string {
  const name = (object.spec.externalName ?? '').toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function hostOf(key: ServiceKey): string {
  return key.slice(key.indexOf('/') + 1);
}
