// A config source that sends what it should not: only the object suffers, and the source is told.
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadSpecCodec } from '../../../src/galley/distribution/encode-resource.ts';
import { MCP_SOURCE_METHOD } from '../../../src/galley/distribution/mcp-source.ts';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { decodeMessage, encodeMessage } from '../../../src/gen/codec.ts';
import type { McpRequestResources, McpResource } from '../../../src/gen/types.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { RpcServer } from '../../../src/rpc/rpc-server.ts';
import type { ServerStream } from '../../../src/rpc/server-stream.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Consumer, until } from './support/consumer.ts';
import { makeMesh } from './support/manifests.ts';

const VIRTUAL_SERVICES = 'istio/networking/v1alpha3/virtualservices';
const codec = await loadSpecCodec();

function resource(name: string, version: string, spec: object): McpResource {
  const message = 'istio.networking.v1alpha3.VirtualService';
  return {
    metadata: { name, version },
    body: { type_url: `type.googleapis.com/${message}`, value: codec.encode(message, spec) },
  };
}

const good = { hosts: ['a.example.com'], http: [{ timeout: '1s', route: [{ destination: { host: 'shop' } }] }] };
const bad = { hosts: ['a.example.com'], http: [{ timeout: '1s' }] };

/** A source of one collection that says what the test says; all others are empty. */
class ScriptedSource {
  readonly requests: McpRequestResources[] = [];
  readonly #server: RpcServer;
  #stream: ServerStream | undefined;
  readonly #onRequest: (request: McpRequestResources, stream: ServerStream) => Promise<boolean>;
  port = 0;

  constructor(onRequest: (request: McpRequestResources, stream: ServerStream) => Promise<boolean> = async () => true) {
    this.#onRequest = onRequest;
    this.#server = new RpcServer({
      methods: [{ path: MCP_SOURCE_METHOD, serve: (stream) => this.#serve(stream) }],
      clock: systemClock,
      log: silentLogger,
    });
  }

  async start(): Promise<this> {
    const bound = await this.#server.listen({ host: '127.0.0.1', port: 0 });
    if (!bound.ok) throw new Error(bound.error.message);
    this.port = bound.value.port;
    onTestFinished(() => this.#server.stop(0));
    return this;
  }

  async say(nonce: string, ...resources: readonly McpResource[]): Promise<void> {
    await until('connected', () => this.#stream !== undefined);
    const message = { collection: VIRTUAL_SERVICES, systemVersionInfo: nonce, nonce, resources };
    await this.#stream?.send(Buffer.from(encodeMessage('istio.mcp.v1alpha1.Resources', message)));
  }

  async sayBytes(bytes: Buffer): Promise<void> {
    await this.#stream?.send(bytes);
  }

  /** What the sink made of a response. */
  async verdict(nonce: string): Promise<McpRequestResources> {
    const isIt = ({ responseNonce }: McpRequestResources): boolean => responseNonce === nonce;
    await until(`answer to ${nonce}`, () => this.requests.some(isIt));
    return this.requests.find(isIt) ?? {};
  }

  async #serve(stream: ServerStream): Promise<void> {
    this.#stream = stream;
    for await (const bytes of stream.requests) {
      const request = decodeMessage('istio.mcp.v1alpha1.RequestResources', bytes);
      this.requests.push(request);
      if (!(await this.#onRequest(request, stream))) return;
      const { collection = '', responseNonce = '' } = request;
      if (responseNonce !== '' || collection === VIRTUAL_SERVICES) continue;
      const nothing = { collection, nonce: `empty ${collection}` };
      await stream.send(Buffer.from(encodeMessage('istio.mcp.v1alpha1.Resources', nothing)));
    }
  }
}

async function feed(source: ScriptedSource): Promise<Consumer> {
  const own = new MemorySource('own');
  own.apply(...makeMesh());
  return new Consumer({ kind: 'mcp', port: source.port, sources: [own] }).start();
}

function timeoutOf(consumer: Consumer, name: string): unknown {
  const objects = consumer.galley.snapshot()?.objects.VirtualService ?? [];
  return objects.find(({ meta }) => meta.name === name)?.spec.http?.[0]?.timeout;
}

function told(consumer: Consumer): readonly string[] {
  return consumer.galley.diagnostics().map(({ code, object }) => `${code} ${object?.name ?? ''}`);
}

describe('a source that sends', () => {
  test('an object that cannot be admitted: it is refused by name, its last version stays, the others are taken', async () => {
    const source = await new ScriptedSource().start();
    const consumer = await feed(source);
    await source.say('1', resource('default/a', '1', good), resource('default/b', '1', good));
    expect((await source.verdict('1')).errorDetail).toBeUndefined();
    await consumer.until('synced', () => consumer.galley.synced);
    await consumer.until('taken', () => timeoutOf(consumer, 'a') === '1s');

    await source.say(
      '2',
      resource('default/a', '2', bad),
      resource('default/b', '2', { ...good, hosts: ['b.example.com'] }),
    );
    const { errorDetail } = await source.verdict('2');
    expect(errorDetail?.code).toBe(3);
    expect(errorDetail?.message).toContain("'default/a': ");
    expect(errorDetail?.message).not.toContain("'default/b'");
    await consumer.until('told', () => told(consumer).includes('XEB1011 a'));
    expect(timeoutOf(consumer, 'a')).toBe('1s');
    expect(
      consumer.galley
        .snapshot()
        ?.objects.VirtualService.map(({ spec }) => spec.hosts?.[0])
        .sort(),
    ).toEqual(['a.example.com', 'b.example.com']);

    await source.say('3', resource('default/a', '3', { ...good, http: [{ ...good.http[0], timeout: '3s' }] }));
    expect((await source.verdict('3')).errorDetail).toBeUndefined();
    await consumer.until('repaired', () => timeoutOf(consumer, 'a') === '3s');
    await consumer.until('gone', () => consumer.names('VirtualService').length === 1);
    expect(told(consumer)).not.toContain('XEB1011 a');
  });

  test('a body of another kind: it is refused, said, and what was there stays', async () => {
    const source = await new ScriptedSource().start();
    const consumer = await feed(source);
    await source.say('1', resource('default/a', '1', good));
    await consumer.until('taken', () => timeoutOf(consumer, 'a') === '1s');
    await source.say('2', {
      metadata: { name: 'default/a', version: '2' },
      body: { type_url: 'type.googleapis.com/istio.networking.v1alpha3.Gateway', value: Buffer.alloc(0) },
    });
    expect((await source.verdict('2')).errorDetail?.message).toContain('Gateway');
    await consumer.until('told', () => told(consumer).includes('XEB1022 a'));
    expect(timeoutOf(consumer, 'a')).toBe('1s');
    await source.say('3', resource('default/a', '3', good));
    await consumer.until('well', () => !told(consumer).includes('XEB1022 a'));
  });

  test('a collection that nobody asked for: it is refused as unimplemented', async () => {
    const source = await new ScriptedSource().start();
    await feed(source);
    await source.say('1');
    const message = encodeMessage('istio.mcp.v1alpha1.Resources', { collection: '$triggerCollection', nonce: 'odd' });
    await source.sayBytes(Buffer.from(message));
    expect((await source.verdict('odd')).errorDetail?.code).toBe(12);
  });

  test('no message at all: the stream is made anew, and what was there stays', async () => {
    const source = await new ScriptedSource().start();
    const consumer = await feed(source);
    await source.say('1', resource('default/a', '1', good));
    await consumer.until('taken', () => timeoutOf(consumer, 'a') === '1s');
    const before = source.requests.filter(({ responseNonce = '' }) => responseNonce === '').length;
    await source.sayBytes(Buffer.from([0x1a, 0x7f, 1]));
    await consumer.until('asked anew', () => {
      const opened = source.requests.filter(({ responseNonce = '' }) => responseNonce === '');
      return opened.length === 2 * before;
    });
    expect(timeoutOf(consumer, 'a')).toBe('1s');
    const again = source.requests.findLast(({ collection }) => collection === VIRTUAL_SERVICES);
    expect(again?.initialResourceVersions).toEqual({ 'default/a': '1' });
  });
});

test('a source that has only the collections of Istio 1.4 is asked for those', async () => {
  const source = await new ScriptedSource(async ({ collection = '' }, stream) => {
    if (!collection.includes('peerauthentications')) return true;
    stream.close({ code: 3, message: `unsupported collection ${collection}` });
    return false;
  }).start();
  const consumer = await feed(source);
  await until(
    'asked again',
    () => source.requests.filter(({ collection }) => collection === VIRTUAL_SERVICES).length >= 1,
  );
  await source.say('1', resource('default/a', '1', good));
  await consumer.until('synced', () => consumer.galley.synced);
  await consumer.until('taken', () => timeoutOf(consumer, 'a') === '1s');
});
