import { collections, type Kind } from '../../apis/collections.ts';
import type { MeshConfig } from '../../apis/mesh/mesh-config.ts';
import type { IstioCodec } from '../../gen/istio.ts';
import type { Clock } from '../../kit/clock.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import { Turn } from '../../kit/turn.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { hashVersions } from '../../xds/resource-set.ts';
import { type DistributedResource, encodeObject, loadSpecCodec, qualifiedName } from './encode-resource.ts';
import { istioBody } from './istio-body.ts';
import {
  type DistributedKind,
  type DistributedSettings,
  distributedKinds,
  MESH_COLLECTION,
  meshConfigSettings,
  NAMESPACES_COLLECTION,
  SERVICES_COLLECTION,
  SYNTHETIC_COLLECTION,
} from './kinds.ts';
import { kubernetesBody, serviceMessage } from './kubernetes-bodies.ts';
import { PreparedFeed, type SnapshotFeed } from './prepared-feed.ts';
import { SyntheticServiceEntries } from './synthetic-service-entries.ts';

/** One collection at one moment. Immutable, and the same object as long as nothing in it changed. */
export type CollectionState = {
  readonly version: string;
  readonly resources: ReadonlyMap<string, DistributedResource>;
};

export type CatalogDeps = {
  readonly feed: SnapshotFeed;
  /** The DNS suffix of the Kubernetes cluster: `cluster.local`. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Logger;
};

type Encode = (object: ConfigObject) => DistributedResource | undefined;
type List = readonly ConfigObject[];

/**
 * What the newest configuration has to distribute, by kind and by collection of MCP. Nothing is encoded before somebody asks
 * for it, and each object once for everybody.
 */
export class Catalog {
  readonly #deps: CatalogDeps;
  readonly #feed: PreparedFeed;
  readonly #lists = new Map<string, (list: List) => CollectionState>();
  readonly #encoders = new Map<Kind, Encode>();
  readonly #prepared = new Map<Kind, List>();
  readonly #collections = new Map<string, (snapshot: ConfigSnapshot) => CollectionState>();
  readonly #mesh: (mesh: MeshConfig) => CollectionState;
  #codec: IstioCodec | undefined;
  #isWholeMesh = false;

  constructor(deps: CatalogDeps) {
    this.#deps = deps;
    this.#feed = new PreparedFeed(deps.feed, (snapshot) => this.#prepare(snapshot));
    for (const kind of distributedKinds) this.#addKind(kind);
    this.#mesh = memoByIdentity((mesh: MeshConfig) => this.#meshState(mesh));
    this.#collections.set(MESH_COLLECTION, ({ mesh }) => this.#mesh(mesh));
    this.#addList(SERVICES_COLLECTION, 'Service', (object) =>
      this.#encode(object, 'k8s.io.api.core.v1.ServiceSpec', serviceMessage((object as ConfigObject<'Service'>).spec)),
    );
    this.#addList(NAMESPACES_COLLECTION, 'Namespace', (object) =>
      this.#encode(object, 'k8s.io.api.core.v1.NamespaceSpec', {}),
    );
    const synthetic = new SyntheticServiceEntries(deps.domain);
    const entry = memoByIdentity((object: ConfigObject) =>
      this.#encode(object, 'istio.networking.v1alpha3.ServiceEntry', object.spec),
    );
    const states = latestStates(entry);
    this.#collections.set(SYNTHETIC_COLLECTION, (snapshot) => states(synthetic.of(snapshot)));
  }

  /**
   * For each consumer, before it asks: the first has the messages of Istio loaded and what it may ask for encoded. Kubernetes'
   * kinds are many, and only those who take the whole mesh ask for them.
   */
  async load(scope: 'istio' | 'whole mesh'): Promise<void> {
    this.#codec ??= await loadSpecCodec();
    if (scope === 'whole mesh') this.#isWholeMesh = true;
    await this.#feed.start();
    const snapshot = this.#feed.snapshot();
    if (snapshot !== undefined) await this.#prepare(snapshot);
  }

  /** The newest snapshot whose objects are encoded. */
  snapshot(): ConfigSnapshot | undefined {
    return this.#feed.snapshot();
  }

  onChange(listener: () => void): () => void {
    return this.#feed.onChange(listener);
  }

  hasCollection(name: string): boolean {
    return this.#collections.has(name);
  }

  /** A collection of MCP; nothing for one that does not exist. */
  collection(name: string, snapshot: ConfigSnapshot): CollectionState | undefined {
    return this.#collections.get(name)?.(snapshot);
  }

  /** The objects of one distributed kind. */
  kind(kind: Kind, snapshot: ConfigSnapshot): CollectionState {
    const state = this.#lists.get(kind)?.(snapshot.objects[kind]);
    if (state === undefined) throw new Error(`${kind} is not distributed`);
    return state;
  }

  /** Settings of the mesh, encoded as they are. */
  settings({ message, of }: DistributedSettings, snapshot: ConfigSnapshot): Uint8Array {
    return this.#loaded().encode(message, of(snapshot));
  }

  #addKind({ kind, collection, message }: DistributedKind): void {
    const body = collection === undefined ? kubernetesBody : istioBody;
    const encode = memoByIdentity((object: ConfigObject) => this.#encode(object, message, body(object)));
    const states = latestStates(encode);
    this.#lists.set(kind, states);
    this.#encoders.set(kind, encode);
    if (collection !== undefined) this.#collections.set(collection, ({ objects }) => states(objects[kind]));
  }

  /** Encodes what is new, and lets others have a turn meanwhile. */
  async #prepare({ objects }: ConfigSnapshot): Promise<void> {
    const turn = new Turn(this.#deps.clock);
    for (const [kind, encode] of this.#encoders) {
      if (!this.#isWholeMesh && collections[kind].source === 'kubernetes') continue;
      const list: List = objects[kind];
      if (this.#prepared.get(kind) === list) continue;
      for (const object of list) {
        encode(object);
        await turn.share();
      }
      this.#prepared.set(kind, list);
    }
  }

  #addList(name: string, kind: Kind, encode: Encode): void {
    const memo = memoByIdentity(encode);
    const states = latestStates(memo);
    this.#collections.set(name, ({ objects }) => states(objects[kind]));
  }

  /** An object that its message cannot say is not what travels, and that is said once; all others travel. */
  #encode(object: ConfigObject, message: string, json: unknown): DistributedResource | undefined {
    try {
      return encodeObject(this.#loaded(), object, { message, json });
    } catch (error) {
      const { namespace, name } = object.meta;
      this.#deps.log.error({ kind: object.kind, namespace, name, error }, 'object cannot be distributed');
      return undefined;
    }
  }

  #meshState(mesh: MeshConfig): CollectionState {
    const meta = {
      namespace: mesh.rootNamespace,
      name: 'meshconfig',
      labels: {},
      annotations: {},
      createdAt: undefined,
    };
    const object = { kind: 'MeshConfig', meta };
    const resource = encodeObject(this.#loaded(), object, { message: meshConfigSettings.message, json: mesh });
    return { version: hashVersions([resource]), resources: new Map([[resource.name, resource]]) };
  }

  #loaded(): IstioCodec {
    if (this.#codec === undefined) throw new Error('configuration is asked for before its messages are loaded');
    return this.#codec;
  }
}

/** Remembers the state of the newest list: the same list has the same state. */
function latestStates(encode: Encode): (list: List) => CollectionState {
  let known: { readonly list: List; readonly state: CollectionState } | undefined;
  return (list) => {
    if (known?.list === list) return known.state;
    const built = stateOf(list, encode, known?.state);
    const state = known !== undefined && known.state.version === built.version ? known.state : built;
    known = { list, state };
    return state;
  };
}

/** An object that cannot be encoded as it is now keeps what it was before. */
function stateOf(list: List, encode: Encode, previous: CollectionState | undefined): CollectionState {
  const resources = new Map<string, DistributedResource>();
  for (const object of list) {
    const resource = encode(object) ?? previous?.resources.get(qualifiedName(object.meta));
    if (resource !== undefined) resources.set(resource.name, resource);
  }
  return { version: hashVersions(resources.values()), resources };
}
