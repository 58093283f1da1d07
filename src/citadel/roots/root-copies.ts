import type { Runnable } from '../../kit/run-group.ts';
import { nameOf } from '../../kube/json.ts';
import type { Reflect, ReflectionState } from '../../kube/reflection.ts';
import { isNewerVersion } from '../../kube/resource-version.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { namespaceType } from '../secrets/account.ts';
import { type NamespaceFacts, readNamespace, sameNamespace } from '../secrets/namespaces.ts';
import { WatchTroubles } from '../secrets/watch-troubles.ts';
import { configMapType, type Publication, type PublishedRoot, readPublished } from './published-root.ts';

export type RootCopiesDeps = {
  readonly reflect: Reflect;
  readonly publications: readonly Publication[];
  /** Only these namespaces; none means all. */
  readonly listened: readonly string[];
  /** Which is always told. */
  readonly ownNamespace: string;
  readonly touch: (key: string) => void;
  readonly log: Logger;
};

const NAMESPACES = 'namespaces';

/** Namespaces, and the ConfigMaps with the roots in them, as far as they have been told. A key is `namespace/name`. */
export class RootCopies {
  readonly namespaces = new Map<string, NamespaceFacts>();
  readonly #published = new Map<string, PublishedRoot>();
  readonly #deps: RootCopiesDeps;
  /** What has not been read yet. */
  readonly #missing = new Set<string>();
  readonly #troubles: WatchTroubles;

  constructor(deps: RootCopiesDeps) {
    this.#deps = deps;
    this.#troubles = new WatchTroubles(deps.log, 'roots cannot be kept up to date');
  }

  published(key: string): PublishedRoot | undefined {
    return this.#published.get(key);
  }

  /** As we wrote it: what a watch tells is later. */
  take(key: string, published: PublishedRoot): void {
    this.#published.set(key, published);
  }

  /** Everything is to be looked at, if it is known. */
  touchAll(): void {
    for (const name of this.namespaces.keys()) this.#touch(name);
  }

  reflections(): readonly Runnable[] {
    return [this.#ofNamespaces(), ...this.#deps.publications.flatMap((each) => this.#ofPublication(each))];
  }

  #touch(namespace: string): void {
    if (this.#missing.has(NAMESPACES)) return;
    for (const { name, only } of this.#deps.publications) {
      const isMeant = only === undefined || only === namespace;
      if (isMeant && !this.#isMissing(name)) this.#deps.touch(`${namespace}/${name}`);
    }
  }

  /** One that may not be read keeps no other from being told. */
  #isMissing(name: string): boolean {
    return [...this.#missing].some((what) => what.startsWith(`${name} `));
  }

  #ofNamespaces(): Runnable {
    return this.#deps.reflect<NamespaceFacts>({
      type: namespaceType,
      namespace: '',
      selectors: {},
      project: readNamespace,
      keyOf: (object) => nameOf(object).name,
      onChange: ({ upserts, deletes }) => {
        for (const name of deletes) this.namespaces.delete(name);
        const moved = upserts.filter((facts) => !sameNamespace(facts, this.namespaces.get(facts.name)));
        for (const facts of upserts) this.namespaces.set(facts.name, facts);
        for (const { name } of moved) this.#touch(name);
      },
      ...this.#follow(NAMESPACES),
    });
  }

  #ofPublication(publication: Publication): readonly Runnable[] {
    const { only, name } = publication;
    const { listened, ownNamespace } = this.#deps;
    const everywhere = listened.length === 0 ? [''] : [...new Set([ownNamespace, ...listened])];
    return (only === undefined ? everywhere : [only]).map((namespace) =>
      this.#deps.reflect<PublishedRoot>({
        type: configMapType,
        namespace,
        selectors: { fieldSelector: `metadata.name=${name}` },
        project: (object) => readPublished(object, publication),
        keyOf: (object) => `${nameOf(object).namespace}/${name}`,
        onChange: ({ upserts, deletes }) => {
          for (const each of upserts) this.#see(`${each.namespace}/${name}`, each);
          for (const key of deletes) this.#published.delete(key);
          for (const { namespace: moved } of upserts) this.#touch(moved);
          for (const key of deletes) this.#touch(key.slice(0, key.indexOf('/')));
        },
        ...this.#follow(`${name} of ${namespace === '' ? 'all namespaces' : namespace}`),
      }),
    );
  }

  #see(key: string, published: PublishedRoot): void {
    const known = this.#published.get(key);
    // What we wrote is newer than what was before it.
    if (known === undefined || !isNewerVersion(known.version, published.version)) this.#published.set(key, published);
  }

  #follow(what: string) {
    this.#missing.add(what);
    return {
      onSynced: () => {
        if (this.#missing.delete(what)) this.touchAll();
      },
      onState: (state: ReflectionState) => this.#troubles.judge(what, state),
    };
  }
}
