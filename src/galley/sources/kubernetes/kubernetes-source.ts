import { type Collection, collections, type Kind } from '../../../apis/collections.ts';
import { type Runnable, runAll } from '../../../kit/run-group.ts';
import type { KubeApi } from '../../../kube/api.ts';
import type { Reflect } from '../../../kube/reflection.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { Source, SourceSink } from '../source.ts';
import { DefinitionIndex } from './definition-index.ts';
import { definitionType, narrowDefinition } from './definitions.ts';
import { definitionsForbidden, describeFeeds } from './describe-feed.ts';
import { KindFeed, type Target } from './kind-feed.ts';

export type KubernetesSourceDeps = {
  readonly api: Pick<KubeApi, 'get'>;
  readonly reflect: Reflect;
  /** Where the ConfigMap `istio` is. */
  readonly rootNamespace: string;
  /** Kubernetes' own kinds, or Istio's, which may come from elsewhere. */
  readonly kinds: 'kubernetes' | 'istio';
  /** Where Secrets are read, among Kubernetes' own kinds; `*` is everywhere. */
  readonly secretNamespaces: readonly string[];
};

/** What the mesh needs of Kubernetes' own kinds. */
const kubernetesKinds: readonly Kind[] = [
  'Namespace',
  'Node',
  'Service',
  'EndpointSlice',
  'Pod',
  'ConfigMap',
  'Secret',
];

/** Types of Secrets that no gateway serves with, and of which there are many. */
const foreignSecrets: readonly string[] = [
  'kubernetes.io/service-account-token',
  'kubernetes.io/dockerconfigjson',
  'kubernetes.io/dockercfg',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
  'istio.io/key-and-cert',
  'istio.io/ca-root',
];

/** Groups that change nothing at a proxy: a mesh can start without them. */
const dispensableGroups: readonly string[] = ['config.istio.io', 'telemetry.istio.io', 'extensions.istio.io'];

/**
 * Everything the mesh reads from a Kubernetes API. Kinds whose definition is missing count as empty and are read as soon as it
 * comes; what cannot be read for a while, or is gone with its definition, stays as it was.
 */
export class KubernetesSource implements Source {
  readonly name: string;
  readonly #deps: KubernetesSourceDeps;
  readonly #definitions: DefinitionIndex;
  readonly #feeds: readonly KindFeed[];
  #sink: SourceSink | undefined;
  #isSynced = false;
  #told = '';
  #stop = new AbortController().signal;

  constructor(deps: KubernetesSourceDeps) {
    this.name = deps.kinds === 'istio' ? 'istio kinds of the cluster' : 'cluster';
    this.#deps = deps;
    const read = Object.values(collections).filter(({ kind, source }: Collection) =>
      deps.kinds === 'istio' ? source === 'istio' : kubernetesKinds.includes(kind),
    );
    this.#definitions = new DefinitionIndex({
      wanted: new Set(read.filter(isCustom).map(definitionName)),
      reflect: deps.reflect,
      changed: () => this.#aimAll(),
    });
    this.#feeds = read.flatMap((collection) =>
      readingsOf(collection, deps).map((reading) => this.#feedOf(collection, reading)),
    );
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    this.#sink = sink;
    this.#stop = signal;
    for (const feed of this.#feeds) if (!isCustom(feed.collection)) feed.aim(fixedTarget(feed.collection));
    const parts: Runnable[] = this.#feeds.map((feed) => ({
      name: feed.collection.plural,
      run: (stop) => feed.run(stop),
    }));
    if (this.#feeds.some(({ collection }) => isCustom(collection))) parts.push(this.#definitions);
    await runAll(parts, signal);
  }

  /** What is still to come before everything that exists is known, with the reason where there is one. */
  waitingFor(): readonly string[] {
    const { knowledge, trouble } = this.#definitions;
    const isBlind = knowledge === 'none' && this.#feeds.some(({ collection }) => isCustom(collection));
    if (isBlind) return [withReason('CustomResourceDefinitions', trouble)];
    const late = this.#feeds.filter((feed) => !isEnough(feed));
    const byReason = Map.groupBy(late, ({ state }) => ('message' in state ? state.message : ''));
    return [...byReason].map(([reason, feeds]) =>
      withReason(feeds.map(({ collection }) => collection.kind).join(', '), reason),
    );
  }

  #feedOf(collection: Collection, reading: Reading): KindFeed {
    return new KindFeed({
      collection,
      ...reading,
      reflect: this.#deps.reflect,
      isDefinitionGoing: () => this.#isGoing(collection),
      apply: (upserts, deletes) => this.#sink?.apply({ upserts, deletes }),
      changed: () => this.#tell(),
    });
  }

  #aimAll(): void {
    for (const feed of this.#feeds) if (isCustom(feed.collection)) feed.aim(this.#targetOf(feed.collection));
    this.#tell();
  }

  #targetOf(collection: Collection): Target {
    switch (this.#definitions.knowledge) {
      case 'none':
        return { kind: 'unknown' };
      case 'forbidden':
        return fixedTarget(collection);
      case 'complete': {
        const definition = this.#definitions.get(definitionName(collection));
        const version = collection.versions.find((each) => definition?.served.includes(each));
        if (definition === undefined || version === undefined || !definition.isEstablished) return { kind: 'none' };
        return { kind: 'version', version, definition: definition.uid };
      }
    }
  }

  /** Asked of the API server: its word on the definition may come later than the deletions that follow from it. */
  async #isGoing(collection: Collection): Promise<boolean> {
    if (!isCustom(collection)) return false;
    const name = definitionName(collection);
    const found = await this.#deps.api.get(definitionType, { namespace: '', name }, this.#stop);
    if (!found.ok) return found.error.reason === 'not-found';
    return narrowDefinition(found.value, new Set([name]))?.isTerminating ?? false;
  }

  #tell(): void {
    const diagnostics: Diagnostic[] = [
      ...describeFeeds(
        this.#feeds.map((feed) => ({ feed, served: this.#definitions.get(definitionName(feed.collection))?.served })),
      ),
    ];
    if (this.#definitions.knowledge === 'forbidden') diagnostics.push(definitionsForbidden());
    const told = JSON.stringify(diagnostics);
    if (told !== this.#told) this.#sink?.apply({ upserts: [], deletes: [], diagnostics });
    this.#told = told;
    if (this.#isSynced || !this.#feeds.every(isEnough)) return;
    this.#isSynced = true;
    this.#sink?.synced();
  }
}

/** Where objects of a kind are read, and which. */
type Reading = { readonly namespace: string; readonly fieldSelector: string | undefined };

function readingsOf({ kind }: Collection, deps: KubernetesSourceDeps): readonly Reading[] {
  if (kind === 'ConfigMap') return [{ namespace: deps.rootNamespace, fieldSelector: 'metadata.name=istio' }];
  if (kind !== 'Secret') return [{ namespace: '', fieldSelector: undefined }];
  const fieldSelector = foreignSecrets.map((type) => `type!=${type}`).join(',');
  const namespaces = deps.secretNamespaces.includes('*') ? [''] : [...new Set(deps.secretNamespaces)];
  return namespaces.map((namespace) => ({ namespace, fieldSelector }));
}

/** What a mesh can start without: a gateway without its Secret serves what else it has. */
function isEnough({ collection, isSettled, state }: KindFeed): boolean {
  const isDispensable = collection.kind === 'Secret' || dispensableGroups.includes(collection.group);
  return isSettled || (state.kind === 'forbidden' && isDispensable);
}

function isCustom({ source }: Collection): boolean {
  return source === 'istio';
}

function fixedTarget({ versions }: Collection): Target {
  return { kind: 'version', version: versions[0] ?? '', definition: '' };
}

function definitionName({ plural, group }: Collection): string {
  return `${plural}.${group}`;
}

function withReason(what: string, reason: string): string {
  return reason === '' ? what : `${what} (${reason})`;
}
