import { performance } from 'node:perf_hooks';
import { encodeMessage } from '../../src/gen/codec.ts';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import { adsMethods } from '../../src/xds/xds.ts';
import { GrpcStream } from './grpc-stream.ts';
import type { Library, Protocol, Resource, Response } from './library.ts';

/** What an Envoy says of itself in its first request. */
export type ClientNode = {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

/** One response at one client. */
export type Arrival = {
  readonly client: AdsClient;
  readonly response: Response;
  /** When its last byte was here. */
  readonly at: number;
};

export type ClientEvents = {
  readonly onArrival: (arrival: Arrival) => void;
  /** The confirmation of a response was handed to the socket. */
  readonly onConfirmed: (arrival: Arrival, at: number) => void;
  /** It has everything it can ask for, for the first time on this stream. */
  readonly onComplete: (client: AdsClient, at: number) => void;
  /** Its stream ended and it did not end it. */
  readonly onLost: (client: AdsClient, status: string) => void;
};

type ClientDeps = {
  readonly protocol: Protocol;
  readonly library: Library;
  readonly node: ClientNode;
  readonly events: ClientEvents;
};

type TypeUrl = (typeof TypeUrls)['cluster' | 'endpoint' | 'listener' | 'route'];

const types: readonly TypeUrl[] = [TypeUrls.cluster, TypeUrls.endpoint, TypeUrls.listener, TypeUrls.route];

/** What a client has of one type. */
class Holding {
  readonly resources = new Map<string, Resource>();
  /** By name, for types that are asked for by name. */
  subscribed: ReadonlySet<string> = new Set();
  isStarted = false;
  isAnswered = false;
  nonce = '';
  version = '';
}

/**
 * Behaves as Envoy does: clusters, then the endpoints of each, then listeners, then the routes of each; each response is confirmed; a
 * stream that begins again says what is there from before.
 */
export class AdsClient {
  readonly node: ClientNode;
  readonly #deps: ClientDeps;
  readonly #holdings = new Map<string, Holding>(types.map((type) => [type, new Holding()]));
  #stream: GrpcStream | undefined;
  #openedAt = 0;
  #isComplete = false;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.node = deps.node;
  }

  /** When its stream was opened. */
  get openedAt(): number {
    return this.#openedAt;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Everything it has of a type, by name. */
  resources(typeUrl: string): ReadonlyMap<string, Resource> {
    return this.#holding(typeUrl).resources;
  }

  /** Opens a stream. What it has from an earlier one, it says. */
  open(address: string): void {
    const path = adsMethods.find((method) => method.protocol === this.#deps.protocol)?.path ?? '';
    this.#openedAt = performance.now();
    this.#isComplete = false;
    for (const holding of this.#holdings.values()) {
      holding.isStarted = false;
      holding.isAnswered = false;
      holding.nonce = '';
    }
    const stream = new GrpcStream(address, path, {
      onMessage: (message, at) => this.#onMessage(message, at),
      onEnd: (status) => {
        if (this.#stream === stream) this.#stream = undefined;
        if (status !== undefined) this.#deps.events.onLost(this, status);
      },
    });
    this.#stream = stream;
    const isResuming = this.#holding(TypeUrls.cluster).resources.size > 0;
    for (const type of isResuming ? types : [TypeUrls.cluster]) this.#start(type, type === TypeUrls.cluster);
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  /** Forgets what it has, as a proxy that was restarted. */
  forget(): void {
    for (const type of types) this.#holdings.set(type, new Holding());
  }

  #onMessage(message: Buffer, at: number): void {
    const response = this.#deps.library.read(message);
    const arrival = { client: this, response, at };
    const holding = this.#holding(response.typeUrl);
    this.#apply(holding, response);
    this.#send(response.typeUrl, { nonce: response.nonce }, () =>
      this.#deps.events.onConfirmed(arrival, performance.now()),
    );
    if (response.typeUrl === TypeUrls.cluster) this.#ask(TypeUrls.endpoint, holding);
    if (response.typeUrl === TypeUrls.listener) this.#ask(TypeUrls.route, holding);
    if (!this.#holding(TypeUrls.listener).isStarted && this.#hasAll(TypeUrls.endpoint))
      this.#start(TypeUrls.listener, false);
    this.#deps.events.onArrival(arrival);
    this.#noteCompletion(at);
  }

  #apply(holding: Holding, { typeUrl, nonce, version, resources, removed }: Response): void {
    const isWhole = this.#deps.protocol === 'sotw' && !isByName(typeUrl);
    if (isWhole) holding.resources.clear();
    for (const resource of resources) holding.resources.set(resource.name, resource);
    for (const name of removed) holding.resources.delete(name);
    holding.nonce = nonce;
    holding.version = version;
    holding.isAnswered = true;
  }

  #noteCompletion(at: number): void {
    if (this.#isComplete || !this.#holding(TypeUrls.listener).isAnswered) return;
    if (!this.#hasAll(TypeUrls.endpoint) || !this.#hasAll(TypeUrls.route)) return;
    this.#isComplete = true;
    this.#deps.events.onComplete(this, at);
  }

  #hasAll(typeUrl: TypeUrl): boolean {
    const { subscribed, resources } = this.#holding(typeUrl);
    if (subscribed.size > resources.size) return false;
    for (const name of subscribed) if (!resources.has(name)) return false;
    return true;
  }

  /** Asks for what the resources of `by` ask for, and no more for what they do not. */
  #ask(typeUrl: TypeUrl, by: Holding): void {
    const holding = this.#holding(typeUrl);
    const next = new Set<string>();
    for (const { asksFor } of by.resources.values()) for (const name of asksFor) next.add(name);
    const added = [...next].filter((name) => !holding.subscribed.has(name));
    const dropped = [...holding.subscribed].filter((name) => !next.has(name));
    holding.subscribed = next;
    for (const name of dropped) holding.resources.delete(name);
    if (added.length === 0 && dropped.length === 0) return;
    if (!holding.isStarted) this.#start(typeUrl, false);
    else if (this.#deps.protocol === 'delta') this.#send(typeUrl, { added, dropped });
    else this.#send(typeUrl, { nonce: holding.nonce });
  }

  #start(typeUrl: TypeUrl, isFirst: boolean): void {
    const holding = this.#holding(typeUrl);
    holding.isStarted = true;
    const versions = Object.fromEntries([...holding.resources].map(([name, { version }]) => [name, version]));
    this.#send(typeUrl, { added: [...holding.subscribed], versions, isFirst });
  }

  #send(typeUrl: string, request: Request, written: () => void = () => undefined): void {
    const { protocol, node } = this.#deps;
    const { subscribed, version } = this.#holding(typeUrl);
    const names = protocol === 'delta' ? [] : [...subscribed];
    const isPlainAck = protocol === 'delta' && request.nonce !== undefined;
    const bytes = isPlainAck
      ? encodeDeltaAck(typeUrl, request.nonce)
      : encodeRequest(protocol, { typeUrl, names, version, ...request, node });
    this.#stream?.send(bytes, written);
  }

  #holding(typeUrl: string): Holding {
    const holding = this.#holdings.get(typeUrl);
    if (holding === undefined) throw new Error(`nobody asked for ${typeUrl}`);
    return holding;
  }
}

function isByName(typeUrl: string): boolean {
  return typeUrl === TypeUrls.endpoint || typeUrl === TypeUrls.route;
}

type Request = {
  readonly nonce?: string;
  readonly added?: readonly string[];
  readonly dropped?: readonly string[];
  readonly versions?: Readonly<Record<string, string>>;
  /** The first of a stream carries the node. */
  readonly isFirst?: boolean;
};

type WholeRequest = Request & {
  readonly typeUrl: string;
  /** State of the world. */
  readonly names: readonly string[];
  readonly version: string;
  readonly node: ClientNode;
};

function encodeRequest(protocol: Protocol, request: WholeRequest): Uint8Array {
  const { typeUrl, nonce = '', added = [], dropped = [], versions = {}, names, version } = request;
  const common = { typeUrl, responseNonce: nonce, ...(request.isFirst === true ? { node: nodeOf(request.node) } : {}) };
  if (protocol === 'sotw')
    return encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
      ...common,
      resourceNames: names,
      ...(nonce === '' ? {} : { versionInfo: version }),
    });
  return encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
    ...common,
    resourceNamesSubscribe: added,
    resourceNamesUnsubscribe: dropped,
    initialResourceVersions: versions,
  });
}

/** By hand, because there are so many: `type_url` is field 2 and `response_nonce` field 6, both shorter than 128 bytes. */
function encodeDeltaAck(typeUrl: string, nonce: string): Uint8Array {
  return Buffer.from(
    `\x12${String.fromCharCode(typeUrl.length)}${typeUrl}\x32${String.fromCharCode(nonce.length)}${nonce}`,
  );
}

function nodeOf({ id, cluster, metadata }: ClientNode): object {
  const fields = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, valueOf(value)]));
  return { id, cluster, metadata: { fields }, userAgentName: 'envoy' };
}

function valueOf(value: unknown): object {
  if (typeof value !== 'object' || value === null) return { stringValue: String(value) };
  return {
    structValue: { fields: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, valueOf(each)])) },
  };
}
