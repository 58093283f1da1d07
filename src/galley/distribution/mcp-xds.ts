import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { NodeInfo } from '../../xds/node.ts';
import type { Opened, Peer, SnapshotHandle, SnapshotSource, StreamInfo, XdsSnapshot } from '../../xds/ports.ts';
import { type EncodedResource, encodeResource } from '../../xds/resource.ts';
import { emptyResourceSet, nextResourceSet, type ResourceSet } from '../../xds/resource-set.ts';
import type { Status } from '../../xds/status.ts';
import type { Verdicts } from '../../xds/verdicts.ts';
import type { Catalog, CollectionState } from './catalog.ts';
import type { DistributedResource } from './encode-resource.ts';
import {
  type DistributedSettings,
  distributedKinds,
  MCP_RESOURCE_TYPE,
  meshConfigSettings,
  meshNetworksSettings,
} from './kinds.ts';

/** Whether a client of the discovery service asks for configuration, as clients of istiod do, and not for a proxy's resources. */
export function asksForConfiguration({ metadata }: NodeInfo): boolean {
  return metadata['GENERATOR'] === 'api';
}

export type McpXdsDeps = {
  readonly catalog: Catalog;
  /** Those of the server that serves this. */
  readonly verdicts: Verdicts;
  /** Why whoever has these credentials may not read the configuration. */
  readonly judge: (credentials: unknown) => Promise<Status | undefined>;
};

type Typed = { readonly state: CollectionState; readonly set: ResourceSet };

/**
 * Configuration as resources of the discovery service: a type per `group/version/Kind`, a resource per object. What a type
 * holds is made when somebody subscribes to it, and shared by all who do.
 */
export class McpXds implements SnapshotSource {
  readonly #deps: McpXdsDeps;
  readonly #kinds = new Map(distributedKinds.flatMap((kind) => kind.typeUrls.map((url) => [url, kind.kind] as const)));
  readonly #handles = new Set<ConsumerHandle>();
  readonly #types = new Map<string, Typed>();
  readonly #resources = new WeakMap<DistributedResource, Map<string, EncodedResource>>();
  readonly #settings = new Map<string, { readonly value: object; readonly set: ResourceSet }>();
  #current: { readonly snapshot: ConfigSnapshot; readonly xds: XdsSnapshot } | undefined;
  #stop: (() => void) | undefined;

  constructor(deps: McpXdsDeps) {
    this.#deps = deps;
  }

  /** How many clients are connected. */
  get consumers(): number {
    return this.#handles.size;
  }

  greet({ credentials }: Peer): Promise<Status | undefined> {
    return this.#deps.judge(credentials);
  }

  async open(_: NodeInfo, { changed, credentials }: StreamInfo): Promise<Opened> {
    const refusal = await this.#deps.judge(credentials);
    if (refusal !== undefined) return { kind: 'refused', status: refusal };
    await this.#deps.catalog.load('whole mesh');
    this.#stop ??= this.#deps.catalog.onChange(() => {
      for (const each of this.#handles) each.changed();
    });
    const handle: ConsumerHandle = {
      changed,
      current: () => this.#snapshot(),
      close: () => {
        this.#handles.delete(handle);
        if (this.#handles.size > 0) return;
        this.#stop?.();
        this.#stop = undefined;
      },
    };
    this.#handles.add(handle);
    return { kind: 'handle', handle };
  }

  #snapshot(): XdsSnapshot {
    const snapshot = this.#deps.catalog.snapshot();
    if (snapshot === undefined) return new Map();
    if (this.#current?.snapshot !== snapshot) {
      this.#current = { snapshot, xds: new LazySets((typeUrl) => this.#set(typeUrl, snapshot)) };
    }
    return this.#current.xds;
  }

  #set(typeUrl: string, snapshot: ConfigSnapshot): ResourceSet | undefined {
    const settings = settingsByType.get(typeUrl);
    if (settings !== undefined) return this.#settingsSet(settings, snapshot);
    const kind = this.#kinds.get(typeUrl);
    if (kind === undefined) return undefined;
    const state = this.#deps.catalog.kind(kind, snapshot);
    const known = this.#types.get(typeUrl);
    if (known?.state === state) return known.set;
    const previous = known?.set ?? emptyResourceSet(typeUrl, this.#deps.verdicts);
    const resources = [...state.resources.values()].map((resource) => this.#encode(typeUrl, resource));
    const set = nextResourceSet(previous, resources);
    this.#types.set(typeUrl, { state, set });
    return set;
  }

  #encode(typeUrl: string, resource: DistributedResource): EncodedResource {
    const byType = this.#resources.get(resource) ?? new Map<string, EncodedResource>();
    this.#resources.set(resource, byType);
    const known = byType.get(typeUrl);
    if (known !== undefined) return known;
    const { name, bytes, object } = resource;
    const origins = [{ ...object, path: '' }];
    const encoded = encodeResource({ typeUrl, bodyTypeUrl: MCP_RESOURCE_TYPE, name, value: bytes, needs: [], origins });
    byType.set(typeUrl, encoded);
    return encoded;
  }

  #settingsSet(settings: DistributedSettings, snapshot: ConfigSnapshot): ResourceSet {
    const { kind, typeUrl, message, of } = settings;
    const value = of(snapshot);
    const known = this.#settings.get(typeUrl);
    if (known?.value === value) return known.set;
    const { rootNamespace } = snapshot.mesh;
    const resource = encodeResource({
      typeUrl,
      bodyTypeUrl: `type.googleapis.com/${message}`,
      name: 'istio',
      value: this.#deps.catalog.settings(settings, snapshot),
      needs: [],
      origins: [{ kind, namespace: rootNamespace, name: 'istio', path: '' }],
    });
    const set = nextResourceSet(known?.set ?? emptyResourceSet(typeUrl, this.#deps.verdicts), [resource]);
    this.#settings.set(typeUrl, { value, set });
    return set;
  }
}

const settingsByType = new Map([meshConfigSettings, meshNetworksSettings].map((each) => [each.typeUrl, each]));

type ConsumerHandle = SnapshotHandle & { readonly changed: () => void };

/** The sets of one snapshot, each made when it is first looked up. */
class LazySets extends Map<string, ResourceSet> {
  readonly #make: (typeUrl: string) => ResourceSet | undefined;

  constructor(make: (typeUrl: string) => ResourceSet | undefined) {
    super();
    this.#make = make;
  }

  override get(typeUrl: string): ResourceSet | undefined {
    if (!super.has(typeUrl)) {
      const made = this.#make(typeUrl);
      if (made !== undefined) super.set(typeUrl, made);
      return made;
    }
    return super.get(typeUrl);
  }
}

/** One server for proxies and for consumers of configuration. */
export function routeByNode(proxies: SnapshotSource, consumers: SnapshotSource): SnapshotSource {
  return {
    greet: async (peer) => await (proxies.greet === undefined ? consumers : proxies).greet?.(peer),
    open: (node, stream) => (asksForConfiguration(node) ? consumers : proxies).open(node, stream),
  };
}
