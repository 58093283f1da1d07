import { decodeMessage, encodeMessage } from '../../../../src/gen/codec.ts';
import { type Content, type Kind, kinds, readContent, urls } from './contents.ts';

export type Protocol = 'delta' | 'sotw';

export type Stored = { readonly version: string; readonly value: Uint8Array; readonly content: Content };

/** One response, whichever the variant. */
export type Received = {
  readonly kind: Kind;
  /** In the order on the wire. */
  readonly names: readonly string[];
  readonly removed: readonly string[];
  readonly bytes: number;
};

/** The client's opinion of a resource: an error message rejects the response. */
export type Judge = (kind: Kind, content: Content) => string | undefined;

/** As Envoy describes itself. */
export type NodeText = {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality?: { readonly region: string; readonly zone: string };
};

type Fields = Readonly<Record<string, string>>;

/**
 * A client that behaves like Envoy: all clusters and listeners, endpoints for each cluster that has them by EDS, routes and secrets
 * for each listener, listeners only once the first clusters have their endpoints. Pure: bytes in, bytes out.
 */
export class ModelEnvoy {
  readonly protocol: Protocol;
  readonly store: Readonly<Record<Kind, Map<string, Stored>>> = byKind(() => new Map<string, Stored>());
  /** Clusters that wait for their endpoints: new ones, and changed ones, which keep their old form meanwhile. */
  readonly warming = new Set<string>();
  readonly #active = new Set<string>();
  readonly received: Received[] = [];
  readonly errors: string[] = [];
  judge: Judge = () => undefined;
  readonly #node: NodeText;
  readonly #subscribed = byKind(() => new Set<string>());
  readonly #started = new Set<Kind>();
  readonly #nonces: Record<Kind, string> = byKind(() => '');
  #isFirst = true;

  constructor(protocol: Protocol, node: NodeText) {
    this.protocol = protocol;
    this.#node = node;
  }

  get id(): string {
    return this.#node.id;
  }

  /** The first requests of a stream. A client that has had a stream before resumes. */
  start(): readonly Buffer[] {
    this.#isFirst = true;
    this.#started.clear();
    const isPastClusters = this.store.cluster.size > 0 && this.#hasAllEndpoints();
    const wanted = kinds.filter((kind) => {
      if (kind === 'cluster') return true;
      return kind === 'listener' ? isPastClusters || this.store.listener.size > 0 : this.#subscribed[kind].size > 0;
    });
    return wanted.map((kind) => this.#firstRequest(kind));
  }

  /** Takes a response and answers with requests, the ACK or NACK first. */
  onResponse(bytes: Buffer): readonly Buffer[] {
    const { kind, nonce, resources, removed } = decodeResponse(this.protocol, bytes);
    this.#nonces[kind] = nonce;
    this.received.push({ kind, names: [...resources.keys()], removed, bytes: bytes.length });
    const error = [...resources.values()].map(({ content }) => this.judge(kind, content)).find((each) => each);
    if (error !== undefined) {
      this.errors.push(error);
      return [this.#encode(kind, { nonce, error })];
    }
    this.#apply(kind, resources, removed);
    const answers = [this.#encode(kind, { nonce })];
    if (kind === 'cluster') answers.push(...this.#resubscribe('endpoint', this.#assignments()));
    if (kind === 'listener') {
      answers.push(...this.#resubscribe('route', this.#namedBy('routes')));
      answers.push(...this.#resubscribe('secret', this.#namedBy('secrets')));
    }
    if (!this.#started.has('listener') && this.#hasAllEndpoints()) answers.push(this.#firstRequest('listener'));
    return answers;
  }

  /** What came since the last time. */
  take(): readonly Received[] {
    return this.received.splice(0);
  }

  /** Whether traffic can be sent to a cluster, be it in an old form. */
  isActive(cluster: string): boolean {
    return this.#active.has(cluster);
  }

  /** Listeners and routes that name a cluster which exists and is not there, or not with its endpoints. */
  brokenReferences(exists: (cluster: string) => boolean): readonly string[] {
    const lackOf = (cluster: string): string | undefined => {
      if (this.isActive(cluster) || !exists(cluster)) return undefined;
      return this.store.cluster.has(cluster) ? 'no endpoints' : 'no cluster';
    };
    return (['listener', 'route'] as const).flatMap((kind) =>
      [...this.store[kind]].flatMap(([name, { content }]) =>
        content.clusters.flatMap((cluster) => {
          const lack = lackOf(cluster);
          return lack === undefined ? [] : [`${kind} ${name} → ${cluster}: ${lack}`];
        }),
      ),
    );
  }

  /** The bytes of everything the client has, by kind and name. */
  contents(): Readonly<Record<Kind, Fields>> {
    return byKind((kind) => toFields([...this.store[kind]].map(([name, { value }]) => [name, value])));
  }

  subscribed(kind: Kind): ReadonlySet<string> {
    return this.#subscribed[kind];
  }

  #apply(kind: Kind, resources: ReadonlyMap<string, Stored>, removed: readonly string[]): void {
    for (const name of this.#gone(kind, resources, removed)) this.#remove(kind, name);
    for (const [name, stored] of resources) this.#put(kind, name, stored);
  }

  /** Of clusters and listeners, what a state-of-the-world response omits is gone. */
  #gone(kind: Kind, resources: ReadonlyMap<string, Stored>, removed: readonly string[]): readonly string[] {
    if (this.protocol === 'delta' || !isWildcard(kind)) return removed;
    return [...this.store[kind].keys()].filter((name) => !resources.has(name));
  }

  #remove(kind: Kind, name: string): void {
    this.store[kind].delete(name);
    if (kind !== 'cluster') return;
    this.warming.delete(name);
    this.#active.delete(name);
  }

  #put(kind: Kind, name: string, stored: Stored): void {
    if (kind === 'cluster' && this.store.cluster.get(name)?.version !== stored.version) this.#warm(name, stored);
    if (kind === 'endpoint') this.#activate(name);
    if (isWildcard(kind) || this.#subscribed[kind].has(name)) this.store[kind].set(name, stored);
  }

  /** Several clusters may have one assignment. */
  #activate(assignment: string): void {
    for (const cluster of this.warming) {
      if (this.store.cluster.get(cluster)?.content.assignment !== assignment) continue;
      this.warming.delete(cluster);
      this.#active.add(cluster);
    }
  }

  #warm(name: string, { content }: Stored): void {
    if (content.assignment !== undefined) {
      this.warming.add(name);
      return;
    }
    this.warming.delete(name);
    this.#active.add(name);
  }

  #assignments(): readonly string[] {
    return [...this.store.cluster.values()].flatMap(({ content }) => content.assignment ?? []);
  }

  #namedBy(what: 'routes' | 'secrets'): readonly string[] {
    return [...this.store.listener.values()].flatMap(({ content }) => content[what]);
  }

  #hasAllEndpoints(): boolean {
    return this.#assignments().every((name) => this.store.endpoint.has(name));
  }

  #resubscribe(kind: Kind, wanted: readonly string[]): readonly Buffer[] {
    const next = new Set(wanted);
    const subscribed = this.#subscribed[kind];
    const subscribe = [...next].filter((name) => !subscribed.has(name));
    const unsubscribe = [...subscribed].filter((name) => !next.has(name));
    if (subscribe.length + unsubscribe.length === 0) return [];
    for (const name of subscribe) subscribed.add(name);
    for (const name of unsubscribe) {
      subscribed.delete(name);
      this.store[kind].delete(name);
    }
    if (!this.#started.has(kind)) return [this.#firstRequest(kind)];
    if (this.protocol === 'sotw') return [this.#encode(kind, { nonce: this.#nonces[kind] })];
    return [this.#encode(kind, { nonce: '', subscribe, unsubscribe })];
  }

  /** The first request of a type on a stream: it tells what the client has from the stream before. */
  #firstRequest(kind: Kind): Buffer {
    this.#started.add(kind);
    this.#nonces[kind] = '';
    const versions = Object.fromEntries([...this.store[kind]].map(([name, { version }]) => [name, version]));
    return this.#encode(kind, { nonce: '', subscribe: [...this.#subscribed[kind]], versions });
  }

  #encode(kind: Kind, { nonce, error, subscribe, unsubscribe, versions }: RequestInputs): Buffer {
    const { id, metadata, locality = {} } = this.#node;
    const node = { id, metadata: { fields: toValues(metadata) }, locality, userAgentName: 'envoy' };
    const common = {
      ...(this.#isFirst ? { node } : {}),
      typeUrl: urls[kind],
      responseNonce: nonce,
      ...(error === undefined ? {} : { errorDetail: { code: 3, message: error } }),
    };
    this.#isFirst = false;
    if (this.protocol === 'sotw') {
      const resourceNames = [...this.#subscribed[kind]];
      return Buffer.from(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', { ...common, resourceNames }));
    }
    return Buffer.from(
      encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
        ...common,
        resourceNamesSubscribe: subscribe ?? [],
        resourceNamesUnsubscribe: unsubscribe ?? [],
        initialResourceVersions: versions ?? {},
      }),
    );
  }
}

function isWildcard(kind: Kind): boolean {
  return kind === 'cluster' || kind === 'listener';
}

type RequestInputs = {
  readonly nonce: string;
  readonly error?: string;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly versions?: Fields;
};

/** Sorted by name, with the bytes as text. */
export function toFields(entries: readonly (readonly [string, Uint8Array])[]): Fields {
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, value]) => [name, Buffer.from(value).toString('base64')]));
}

export function byKind<T>(make: (kind: Kind) => T): Record<Kind, T> {
  const [cluster, endpoint, listener] = [make('cluster'), make('endpoint'), make('listener')];
  return { cluster, endpoint, listener, route: make('route'), secret: make('secret') };
}

type Response = {
  readonly kind: Kind;
  readonly nonce: string;
  readonly resources: ReadonlyMap<string, Stored>;
  readonly removed: readonly string[];
};

function decodeResponse(protocol: Protocol, bytes: Buffer): Response {
  if (protocol === 'sotw') {
    const decoded = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
    const { typeUrl, nonce = '', resources = [] } = decoded;
    const kind = kindOf(typeUrl);
    const stored = resources.map(({ value }) => toStored(kind, value, Buffer.from(value).toString('base64')));
    return { kind, nonce, resources: new Map(stored), removed: [] };
  }
  const decoded = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
  const { typeUrl, nonce = '', resources = [], removedResources: removed = [] } = decoded;
  const kind = kindOf(typeUrl);
  const stored = resources.map(({ name, version = '', resource }) => {
    const read = toStored(kind, resource?.value ?? new Uint8Array(), version);
    if (read[0] !== name) throw new Error(`a resource named ${name} calls itself ${read[0]}`);
    return read;
  });
  return { kind, nonce, resources: new Map(stored), removed };
}

function toStored(kind: Kind, value: Uint8Array, version: string): readonly [string, Stored] {
  const content = readContent(kind, value);
  return [content.name, { version, value, content }];
}

function kindOf(typeUrl: string | undefined): Kind {
  const kind = kinds.find((each) => urls[each] === typeUrl);
  if (kind === undefined) throw new Error(`a response of type ${typeUrl}`);
  return kind;
}

/** A `google.protobuf.Struct`'s fields. */
function toValues(record: Readonly<Record<string, unknown>>): Record<string, object> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, toValue(value)]));
}

function toValue(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  if (typeof value === 'object' && value !== null) return { structValue: { fields: toValues({ ...value }) } };
  return { nullValue: 0 };
}
