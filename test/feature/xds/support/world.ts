import type { XdsSnapshot } from '../../../../src/xds/ports.ts';
import { type EncodedResource, encodeResource, type ResourceRef } from '../../../../src/xds/resource.ts';
import { emptyResourceSet, nextResourceSet, type ResourceSet } from '../../../../src/xds/resource-set.ts';
import { TypeUrls } from '../../../../src/xds/type-urls.ts';
import type { Verdicts } from '../../../../src/xds/verdicts.ts';

/** What a resource of the model says: enough to check references. The xDS server never looks into a resource. */
export type Content = {
  readonly revision: number;
  readonly clusters: readonly string[];
  readonly route: string | undefined;
};

export type Kind = 'cluster' | 'endpoint' | 'listener' | 'route';
export const kinds: readonly Kind[] = ['cluster', 'endpoint', 'listener', 'route'];

/** A small mesh that can be changed, and its snapshots. Each cluster has an assignment of the same name. */
export class World {
  readonly #contents: Record<Kind, Map<string, Content>> = {
    cluster: new Map(),
    endpoint: new Map(),
    listener: new Map(),
    route: new Map(),
  };
  readonly #sets: Record<Kind, ResourceSet>;
  readonly #extra = new Map<string, ResourceSet>();
  readonly #verdicts: Verdicts;
  #snapshot: XdsSnapshot | undefined;
  #revision = 0;

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
    const empty = (kind: Kind): ResourceSet => emptyResourceSet(TypeUrls[kind], verdicts);
    this.#sets = {
      cluster: empty('cluster'),
      endpoint: empty('endpoint'),
      listener: empty('listener'),
      route: empty('route'),
    };
  }

  names(kind: Kind): readonly string[] {
    return [...this.#contents[kind].keys()];
  }

  content(kind: Kind, name: string): Content | undefined {
    return this.#contents[kind].get(name);
  }

  /** Adds or changes a resource; what is not said stays. */
  put(kind: Kind, name: string, change: { readonly clusters?: readonly string[]; readonly route?: string } = {}): this {
    this.#revision += 1;
    const before = this.#contents[kind].get(name) ?? { clusters: [], route: undefined };
    this.#contents[kind].set(name, { ...before, ...change, revision: this.#revision });
    if (kind === 'cluster' && !this.#contents.endpoint.has(name)) this.put('endpoint', name);
    this.#snapshot = undefined;
    return this;
  }

  remove(kind: Kind, name: string): this {
    this.#contents[kind].delete(name);
    if (kind === 'cluster') this.#contents.endpoint.delete(name);
    this.#snapshot = undefined;
    return this;
  }

  /** Resources of a type that the model does not know. */
  putExtra(typeUrl: string, names: readonly string[], value = 'x'): this {
    const resources = names.map((name) =>
      encodeResource({ typeUrl, name, value: Buffer.from(value), needs: [], origins: [] }),
    );
    this.#extra.set(
      typeUrl,
      nextResourceSet(this.#extra.get(typeUrl) ?? emptyResourceSet(typeUrl, this.#verdicts), resources),
    );
    this.#snapshot = undefined;
    return this;
  }

  snapshot(): XdsSnapshot {
    if (this.#snapshot !== undefined) return this.#snapshot;
    for (const kind of kinds) {
      const resources = [...this.#contents[kind]].map(([name, content]) => encode(kind, name, content));
      this.#sets[kind] = nextResourceSet(this.#sets[kind], resources);
    }
    this.#snapshot = new Map([...kinds.map((kind) => [TypeUrls[kind], this.#sets[kind]] as const), ...this.#extra]);
    return this.#snapshot;
  }

  resource(kind: Kind, name: string): EncodedResource | undefined {
    return this.snapshot().get(TypeUrls[kind])?.resources.get(name);
  }
}

export function encode(kind: Kind, name: string, content: Content): EncodedResource {
  const needs: ResourceRef[] = content.clusters.map((cluster) => ({ typeUrl: TypeUrls.cluster, name: cluster }));
  if (kind === 'cluster') needs.push({ typeUrl: TypeUrls.endpoint, name });
  if (content.route !== undefined) needs.push({ typeUrl: TypeUrls.route, name: content.route });
  const origins = [{ kind: 'VirtualService', namespace: 'default', name: `object-of-${name}`, path: 'spec' }];
  return encodeResource({
    typeUrl: TypeUrls[kind],
    name,
    value: Buffer.from(JSON.stringify({ name, ...content })),
    needs,
    origins,
  });
}
