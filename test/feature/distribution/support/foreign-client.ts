// A consumer that shares nothing with xebec but the wire: @grpc/grpc-js, and messages as protobufjs reads the .proto file.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor/index.js';
import { onTestFinished } from 'vitest';
import { until } from './consumer.ts';

const proto = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../${path}`, import.meta.url)), 'utf8');

const status = `syntax = "proto3"; package google.rpc; message Status { int32 code = 1; string message = 2; }`;
const discovery = `syntax = "proto3"; package discovery;
  message Node { string id = 1; google.protobuf.Struct metadata = 3; }
  message Request { string version_info = 1; Node node = 2; repeated string resource_names = 3; string type_url = 4;
    string response_nonce = 5; google.rpc.Status error_detail = 6; }
  message Response { string version_info = 1; repeated google.protobuf.Any resources = 2; string type_url = 4; string nonce = 5; }`;

const root = new protobuf.Root();
for (const name of ['any', 'timestamp', 'struct'])
  root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)?.nested ?? {});
for (const text of [status, proto('proto/istio/mcp/v1alpha1/mcp.proto'), discovery])
  protobuf.parse(text, root, { keepCase: false });

const set = gunzipSync(readFileSync(fileURLToPath(new URL('../../../../src/gen/istio.bin.gz', import.meta.url))));
const bodies = (protobuf.Root as unknown as { fromDescriptor(set: Uint8Array): protobuf.Root }).fromDescriptor(set);

export type Message = Readonly<Record<string, unknown>>;
type ForeignResource = {
  readonly metadata: {
    readonly name: string;
    readonly version: string;
    readonly labels?: Message;
    readonly annotations?: Message;
  };
  readonly body: { readonly type_url: string; readonly value: Uint8Array };
};
export type ForeignResources = {
  readonly collection: string;
  readonly nonce: string;
  readonly systemVersionInfo: string;
  readonly incremental?: boolean;
  readonly resources?: readonly ForeignResource[];
  readonly removedResources?: readonly string[];
};
export type ForeignDiscovery = {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources?: readonly { readonly type_url: string; readonly value: Uint8Array }[];
};

/** One stream; what came, in order. */
export class ForeignClient<In> {
  readonly received: In[] = [];
  readonly sizes: number[] = [];
  ended: { readonly code: number; readonly details: string } | undefined;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Message, In>;

  constructor(port: number, path: string, [request, response]: readonly [string, string]) {
    const encode = (message: Message): Buffer => {
      const type = root.lookupType(request);
      return Buffer.from(type.encode(type.fromObject(message)).finish());
    };
    const decode = (bytes: Buffer): In => {
      this.sizes.push(bytes.length);
      return root.lookupType(response).toObject(root.lookupType(response).decode(bytes), { arrays: false }) as In;
    };
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#call = this.#client.makeBidiStreamRequest(path, encode, decode);
    this.#call.on('data', (message: In) => this.received.push(message));
    this.#call.on('status', (ended) => {
      this.ended = ended;
    });
    this.#call.on('error', () => undefined);
    onTestFinished(() => this.close());
  }

  send(message: Message): void {
    this.#call.write(message);
  }

  /** The answer with this number, from 0. */
  async answer(index: number): Promise<In> {
    await until(`answer ${index}`, () => this.received.length > index);
    const found = this.received[index];
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  async end(): Promise<{ readonly code: number; readonly details: string }> {
    await until('ended', () => this.ended !== undefined);
    return this.ended ?? { code: -1, details: '' };
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}

export function foreignSink(port: number): ForeignClient<ForeignResources> {
  return new ForeignClient(port, '/istio.mcp.v1alpha1.ResourceSource/EstablishResourceStream', [
    'istio.mcp.v1alpha1.RequestResources',
    'istio.mcp.v1alpha1.Resources',
  ]);
}

export function foreignXds(port: number): ForeignClient<ForeignDiscovery> {
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
  return new ForeignClient(port, path, ['discovery.Request', 'discovery.Response']);
}

type Body = { readonly type_url: string; readonly value?: Uint8Array };

/** A body, opened. */
export function open({ type_url, value = new Uint8Array() }: Body): Message {
  const type = bodies.lookupType(type_url.replace('type.googleapis.com/', ''));
  return type.toObject(type.decode(value), { arrays: false }) as Message;
}

export function openResource(any: { readonly type_url: string; readonly value: Uint8Array }): ForeignResource {
  const type = root.lookupType(any.type_url.replace('type.googleapis.com/', ''));
  return type.toObject(type.decode(any.value)) as unknown as ForeignResource;
}

export function namesOf({ resources = [] }: ForeignResources): readonly string[] {
  return resources.map(({ metadata }) => metadata.name).sort();
}
