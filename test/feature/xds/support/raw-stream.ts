import { expect } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../../src/gen/codec.ts';
import type { ClientStream, RpcClient } from '../../../../src/rpc/rpc-client.ts';
import type { RpcStatus } from '../../../../src/rpc/status.ts';
import { TypeUrls } from '../../../../src/xds/type-urls.ts';
import { adsMethods } from '../../../../src/xds/xds.ts';
import type { Protocol } from './model-client.ts';

export type TypeName = keyof typeof TypeUrls;

/** What a test says of a request; the rest is left out. `type` may be a whole type URL. */
export type RequestText = {
  readonly type: TypeName | (string & {});
  readonly nonce?: string;
  readonly error?: string;
  /** State of the world. */
  readonly names?: readonly string[];
  /** Delta. */
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly versions?: Readonly<Record<string, string>>;
  readonly node?: Readonly<Record<string, unknown>>;
};

/** What came, with resources by name in the order on the wire. */
export type ResponseText = {
  readonly type: string;
  readonly nonce: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly contents: readonly string[];
  readonly bytes: number;
};

const encoder = {
  delta: 'envoy.service.discovery.v3.DeltaDiscoveryRequest',
  sotw: 'envoy.service.discovery.v3.DiscoveryRequest',
} as const;

/** A client that says exactly what the test tells it to. */
export class RawStream {
  readonly call: ClientStream;
  readonly #protocol: Protocol;
  readonly #id: string;
  readonly #messages: AsyncIterator<Buffer>;
  #fences = 0;
  #isFirst = true;

  constructor(client: RpcClient, protocol: Protocol, id = 'sidecar~10.0.0.1~app.default~default.svc.cluster.local') {
    const method = adsMethods.find((each) => each.protocol === protocol);
    this.call = client.open(method?.path ?? '');
    this.#protocol = protocol;
    this.#id = id;
    this.#messages = this.call.messages[Symbol.asyncIterator]();
  }

  get status(): Promise<RpcStatus> {
    return this.call.status;
  }

  async send({ type, nonce, error, node, ...names }: RequestText): Promise<void> {
    const withNode = node ?? (this.#isFirst ? { id: this.#id } : undefined);
    this.#isFirst = false;
    const common = {
      typeUrl: typeUrlOf(type),
      responseNonce: nonce ?? '',
      ...(withNode === undefined ? {} : { node: withNode }),
      ...(error === undefined ? {} : { errorDetail: { code: 3, message: error } }),
    };
    const { subscribe, unsubscribe, versions, names: resourceNames } = names;
    const message =
      this.#protocol === 'delta'
        ? encodeMessage(encoder.delta, {
            ...common,
            resourceNamesSubscribe: subscribe ?? [],
            resourceNamesUnsubscribe: unsubscribe ?? [],
            initialResourceVersions: versions ?? {},
          })
        : encodeMessage(encoder.sotw, { ...common, resourceNames: resourceNames ?? [] });
    await this.call.send(Buffer.from(message));
  }

  async sendBytes(bytes: Buffer): Promise<void> {
    await this.call.send(bytes);
  }

  /** The next response, which must come. */
  async next(): Promise<ResponseText> {
    const { done, value } = await this.#messages.next();
    if (done === true) throw new Error(`the stream ended: ${JSON.stringify(await this.status)}`);
    return this.#protocol === 'delta' ? readDelta(value) : readSotw(value);
  }

  /** Sends a request and gives its answer. */
  async ask(request: RequestText): Promise<ResponseText> {
    await this.send(request);
    return this.next();
  }

  async ack({ type, nonce }: ResponseText, names?: readonly string[]): Promise<void> {
    await this.send({ type, nonce, ...(names === undefined ? {} : { names }) });
  }

  async nack({ type, nonce }: ResponseText, error: string, names?: readonly string[]): Promise<void> {
    await this.send({ type, nonce, error, ...(names === undefined ? {} : { names }) });
  }

  /** Nothing is under way: a type that nobody has is answered last. */
  async expectNothing(): Promise<void> {
    this.#fences += 1;
    const type = `type.googleapis.com/test.Fence${this.#fences}`;
    const response = await this.ask({ type });
    expect(response).toMatchObject({ type, names: [], removed: [] });
    await this.ack(response);
  }
}

function typeUrlOf(type: string): string {
  return type in TypeUrls ? TypeUrls[type as TypeName] : type;
}

function typeNameOf(typeUrl: string): string {
  return Object.entries(TypeUrls).find(([, url]) => url === typeUrl)?.[0] ?? typeUrl;
}

function readDelta(bytes: Buffer): ResponseText {
  const {
    typeUrl = '',
    nonce = '',
    resources = [],
    removedResources = [],
  } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
  return {
    type: typeNameOf(typeUrl),
    nonce,
    names: resources.map(({ name }) => name ?? ''),
    removed: removedResources,
    versions: Object.fromEntries(resources.map(({ name, version }) => [name ?? '', version ?? ''])),
    contents: resources.map(({ resource }) => Buffer.from(resource?.value ?? []).toString()),
    bytes: bytes.length,
  };
}

function readSotw(bytes: Buffer): ResponseText {
  const {
    typeUrl = '',
    nonce = '',
    resources = [],
  } = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', bytes);
  const contents = resources.map(({ value }) => Buffer.from(value).toString());
  const names = contents.map((content) => (JSON.parse(content) as { readonly name: string }).name);
  return { type: typeNameOf(typeUrl), nonce, names, removed: [], versions: {}, contents, bytes: bytes.length };
}
