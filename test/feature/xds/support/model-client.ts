import { decodeMessage, encodeMessage } from '../../../../src/gen/codec.ts';
import { TypeUrls } from '../../../../src/xds/type-urls.ts';
import { type Content, type Kind, kinds } from './world.ts';

export type Protocol = 'delta' | 'sotw';

type Stored = { readonly version: string; readonly content: Content };

/** One decoded response, whichever the variant. */
export type Received = {
  readonly kind: Kind;
  readonly nonce: string;
  readonly resources: ReadonlyMap<string, Stored>;
  readonly removed: readonly string[];
};

/** A client's opinion of a response: an error message rejects it. */
export type Judge = (received: Received) => string | undefined;

/**
 * A client that behaves like Envoy: wildcard clusters and listeners, endpoints for each cluster it has, routes for each listener,
 * listeners only once the first clusters have their endpoints. Pure: bytes in, bytes out.
 */
export class ModelClient {
  readonly protocol: Protocol;
  readonly store: Record<Kind, Map<string, Stored>> = {
    cluster: new Map(),
    endpoint: new Map(),
    listener: new Map(),
    route: new Map(),
  };
  /** Clusters that wait for their endpoints: new ones, and changed ones, which keep their old form meanwhile. */
  readonly warming = new Set<string>();
  /** What came although the client had it already. */
  readonly duplicates: string[] = [];
  readonly errors: string[] = [];
  readonly #subscribed: Record<Kind, Set<string>> = {
    cluster: new Set(),
    endpoint: new Set(),
    listener: new Set(),
    route: new Set(),
  };
  /** Names that were dropped and asked for again: the answer may cross what the server sends by itself. */
  readonly #askedAgain = new Map<string, number>();
  readonly #everAsked = new Set<string>();
  readonly #started = new Set<Kind>();
  readonly #nonces: Record<Kind, string> = { cluster: '', endpoint: '', listener: '', route: '' };
  readonly #judge: Judge;
  readonly #id: string;
  #isFirst = true;

  constructor(protocol: Protocol, options: { readonly id?: string; readonly judge?: Judge } = {}) {
    this.protocol = protocol;
    this.#judge = options.judge ?? (() => undefined);
    this.#id = options.id ?? 'sidecar~10.0.0.1~app.default~default.svc.cluster.local';
  }

  /** The first requests of a stream. A client that has had a stream before resumes. */
  start(): readonly Buffer[] {
    this.#isFirst = true;
    this.#started.clear();
    const isPastClusters = this.store.cluster.size > 0 && this.#hasAllEndpoints();
    const hadListeners = isPastClusters || this.store.listener.size > 0 || this.#subscribed.route.size > 0;
    const requests = [this.#request('cluster', this.store.cluster.size > 0)];
    if (this.#subscribed.endpoint.size > 0) requests.push(this.#request('endpoint', true));
    if (hadListeners) requests.push(this.#request('listener', true));
    if (this.#subscribed.route.size > 0) requests.push(this.#request('route', true));
    return requests;
  }

  /** Takes a response and answers with requests, the ACK or NACK first. */
  onResponse(bytes: Buffer): readonly Buffer[] {
    const received = decodeResponse(this.protocol, bytes);
    const { kind, nonce } = received;
    this.#nonces[kind] = nonce;
    const error = this.#judge(received);
    if (error !== undefined) {
      this.errors.push(error);
      return [this.#answer(kind, { error })];
    }
    this.#apply(received);
    const requests = [this.#answer(kind, {})];
    if (kind === 'cluster') requests.push(...this.#resubscribe('endpoint', this.store.cluster.keys()));
    if (kind === 'listener') requests.push(...this.#resubscribe('route', this.#routesOfListeners()));
    if (!this.#started.has('listener') && this.#hasAllEndpoints()) requests.push(this.#request('listener', false));
    return requests;
  }

  /** References that do not work at this moment: to a cluster that is not there, or not with its endpoints. */
  brokenReferences(): readonly string[] {
    const lackOf = (cluster: string): string | undefined => {
      if (!this.store.cluster.has(cluster)) return 'no cluster';
      return this.store.endpoint.has(cluster) ? undefined : 'no endpoints';
    };
    const users = (['listener', 'route'] as const).flatMap((kind) =>
      [...this.store[kind]].map(([name, stored]) => ({ kind, name, ...stored })),
    );
    return users.flatMap(({ kind, name, content }) =>
      content.clusters
        .filter((cluster) => lackOf(cluster) !== undefined)
        .map((cluster) => `${kind} ${name} → ${cluster}: ${lackOf(cluster)}`),
    );
  }

  /** Everything the client has, by kind and name, for comparison. */
  contents(): Record<Kind, Record<string, Content>> {
    const of = (kind: Kind): Record<string, Content> =>
      Object.fromEntries(
        [...this.store[kind]]
          .map(([name, { content }]) => [name, content] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    return { cluster: of('cluster'), endpoint: of('endpoint'), listener: of('listener'), route: of('route') };
  }

  #apply({ kind, resources, removed }: Received): void {
    const store = this.store[kind];
    const gone = this.#isWhole(kind) ? [...store.keys()].filter((name) => !resources.has(name)) : removed;
    for (const name of gone) {
      store.delete(name);
      if (kind === 'cluster') this.warming.delete(name);
    }
    for (const [name, stored] of resources) {
      if (store.get(name)?.version === stored.version) this.#noteDuplicate(kind, name);
      else if (kind === 'cluster') this.warming.add(name);
      if (kind === 'endpoint') this.warming.delete(name);
      if (kind === 'cluster' || kind === 'listener' || this.#subscribed[kind].has(name)) store.set(name, stored);
    }
  }

  #isWhole(kind: Kind): boolean {
    return this.protocol === 'sotw' && (kind === 'cluster' || kind === 'listener');
  }

  #noteDuplicate(kind: Kind, name: string): void {
    const isAwaited = this.#isWhole(kind) || (kind === 'endpoint' && this.warming.has(name));
    if (!isAwaited && !this.#takeAskedAgain(`${kind} ${name}`)) this.duplicates.push(`${kind} ${name}`);
  }

  #takeAskedAgain(key: string): boolean {
    const times = this.#askedAgain.get(key) ?? 0;
    this.#askedAgain.set(key, times - 1);
    return times > 0;
  }

  #routesOfListeners(): readonly string[] {
    return [...this.store.listener.values()].flatMap(({ content }) =>
      content.route === undefined ? [] : [content.route],
    );
  }

  #hasAllEndpoints(): boolean {
    return [...this.store.cluster.keys()].every((name) => this.store.endpoint.has(name));
  }

  #resubscribe(kind: Kind, wanted: Iterable<string>): readonly Buffer[] {
    const next = new Set(wanted);
    const subscribed = this.#subscribed[kind];
    const added = [...next].filter((name) => !subscribed.has(name));
    const dropped = [...subscribed].filter((name) => !next.has(name));
    if (added.length === 0 && dropped.length === 0) return [];
    for (const name of added) {
      subscribed.add(name);
      const key = `${kind} ${name}`;
      if (this.#everAsked.has(key)) this.#askedAgain.set(key, (this.#askedAgain.get(key) ?? 0) + 1);
      this.#everAsked.add(key);
    }
    for (const name of dropped) {
      subscribed.delete(name);
      this.store[kind].delete(name);
    }
    if (!this.#started.has(kind)) return [this.#request(kind, false)];
    return [
      this.protocol === 'sotw'
        ? this.#answer(kind, {})
        : this.#encode(kind, { subscribe: added, unsubscribe: dropped, nonce: '' }),
    ];
  }

  /** The first request of a type on a stream. */
  #request(kind: Kind, isResuming: boolean): Buffer {
    this.#started.add(kind);
    this.#nonces[kind] = '';
    const versions = isResuming
      ? Object.fromEntries([...this.store[kind]].map(([name, { version }]) => [name, version]))
      : {};
    return this.#encode(kind, { subscribe: [...this.#subscribed[kind]], unsubscribe: [], nonce: '', versions });
  }

  #answer(kind: Kind, { error }: { readonly error?: string }): Buffer {
    return this.#encode(kind, { subscribe: [], unsubscribe: [], nonce: this.#nonces[kind], error });
  }

  #encode(kind: Kind, inputs: RequestInputs): Buffer {
    const node = this.#isFirst ? { node: { id: this.#id } } : {};
    this.#isFirst = false;
    const errorDetail = inputs.error === undefined ? {} : { errorDetail: { code: 3, message: inputs.error } };
    const common = { ...node, typeUrl: TypeUrls[kind], responseNonce: inputs.nonce, ...errorDetail };
    if (this.protocol === 'sotw') {
      const resourceNames = [...this.#subscribed[kind]];
      return Buffer.from(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', { ...common, resourceNames }));
    }
    const { subscribe: resourceNamesSubscribe, unsubscribe: resourceNamesUnsubscribe, versions = {} } = inputs;
    const names = { resourceNamesSubscribe, resourceNamesUnsubscribe, initialResourceVersions: versions };
    return Buffer.from(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', { ...common, ...names }));
  }
}

type RequestInputs = {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly nonce: string;
  readonly versions?: Readonly<Record<string, string>>;
  readonly error?: string | undefined;
};

function decodeResponse(protocol: Protocol, bytes: Buffer): Received {
  if (protocol === 'sotw') {
    const { typeUrl, nonce, resources = [] } = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
    const stored = resources.map(({ value }) => toStored(value, Buffer.from(value).toString()));
    return { kind: kindOf(typeUrl), nonce: nonce ?? '', resources: new Map(stored), removed: [] };
  }
  const {
    typeUrl,
    nonce,
    resources = [],
    removedResources = [],
  } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
  const stored = resources.map(({ version, resource }) => toStored(resource?.value ?? Buffer.alloc(0), version ?? ''));
  return { kind: kindOf(typeUrl), nonce: nonce ?? '', resources: new Map(stored), removed: removedResources };
}

function toStored(value: Uint8Array, version: string): readonly [string, Stored] {
  const { name, ...content } = JSON.parse(Buffer.from(value).toString()) as Content & { readonly name: string };
  return [name, { version, content }];
}

function kindOf(typeUrl: string | undefined): Kind {
  const kind = kinds.find((each) => TypeUrls[each] === typeUrl);
  if (kind === undefined) throw new Error(`a response of type ${typeUrl}`);
  return kind;
}
