import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../src/gen/codec.ts';
import { defaultLimits } from '../../../src/xds/limits.ts';
import type { RawStream } from './support/raw-stream.ts';
import { startServer, type TestServer } from './support/server.ts';

const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;

let server: TestServer;
let bystander: RawStream;

beforeEach(async () => {
  server = await startServer({
    settings: { limits: { ...defaultLimits, namesPerRequest: 1000, typesPerStream: 4, subscriptionsPerType: 2000 } },
  });
  server.world.put('cluster', 'a');
  bystander = server.connect('delta', 'bystander');
  await bystander.ack(await bystander.ask({ type: 'cluster' }));
});

// Whatever was done to the server, who did nothing is served.
afterEach(async () => {
  server.world.put('cluster', 'b');
  server.changed();
  expect((await bystander.next()).names).toEqual(['b']);
  expect(await server.metric('pilot_total_xds_internal_errors')).toBe(0);
});

function delta(
  message: Parameters<typeof encodeMessage<'envoy.service.discovery.v3.DeltaDiscoveryRequest'>>[1],
): Buffer {
  return Buffer.from(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', message));
}

const node = { id: 'hostile' };

describe('a stream is closed, and nobody else is harmed, for', () => {
  it.each([
    ['bytes that are no message', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]), INVALID_ARGUMENT],
    ['random bytes', Buffer.from('deadbeefcafebabe00ff'.repeat(20), 'hex'), INVALID_ARGUMENT],
    ['an unfinished number', Buffer.from([0x08, 0x80]), INVALID_ARGUMENT],
    ['a number of eleven bytes', Buffer.from([0x08, ...Array.from({ length: 11 }, () => 0xff)]), INVALID_ARGUMENT],
    [
      'a name that is not UTF-8',
      Buffer.from([...delta({ node, typeUrl: 't' }), 0x1a, 2, 0xc3, 0x28]),
      INVALID_ARGUMENT,
    ],
    ['no node', delta({ typeUrl: 't' }), INVALID_ARGUMENT],
    ['a node without id', delta({ node: { cluster: 'c' }, typeUrl: 't' }), INVALID_ARGUMENT],
    ['no type', delta({ node }), INVALID_ARGUMENT],
    ['an empty message', Buffer.alloc(0), INVALID_ARGUMENT],
    [
      'a name of 5000 bytes',
      delta({ node, typeUrl: 't', resourceNamesSubscribe: ['x'.repeat(5000)] }),
      RESOURCE_EXHAUSTED,
    ],
    ['a type of 5000 bytes', delta({ node, typeUrl: 'x'.repeat(5000) }), RESOURCE_EXHAUSTED],
    [
      'too many names',
      delta({ node, typeUrl: 't', resourceNamesSubscribe: Array.from({ length: 1001 }, (_, at) => `n${at}`) }),
      RESOURCE_EXHAUSTED,
    ],
    ['a node of 2 MB', delta({ node: { id: 'x', cluster: 'c'.repeat(2_000_000) }, typeUrl: 't' }), RESOURCE_EXHAUSTED],
    ['a message of 5 MB', delta({ node, typeUrl: 't', responseNonce: 'x'.repeat(5_000_000) }), RESOURCE_EXHAUSTED],
    ['metadata nested 10,000 deep', delta({ node: { id: 'x' }, typeUrl: 't' }), undefined],
  ])('%s', async (what, bytes, code) => {
    const stream = server.connect('delta');
    if (code === undefined) {
      await stream.sendBytes(nestedNode(10_000));
      expect((await stream.status).code).toBe(INVALID_ARGUMENT);
      return;
    }
    await stream.sendBytes(bytes);
    const status = await stream.status;
    expect(status.code, what).toBe(code);
    expect(status.message).not.toBe('');
  });

  it('another node on the same stream', async () => {
    const stream = server.connect('delta', 'first');
    await stream.ask({ type: 'cluster' });
    await stream.send({ type: 'cluster', node: { id: 'second' } });
    expect((await stream.status).code).toBe(INVALID_ARGUMENT);
  });

  it('more types than a client has', async () => {
    const stream = server.connect('delta');
    for (let n = 0; n < 4; n += 1) await stream.ask({ type: `type.googleapis.com/made.up${n}` });
    await stream.send({ type: 'type.googleapis.com/made.up4' });
    expect((await stream.status).code).toBe(RESOURCE_EXHAUSTED);
  });

  it('more names than a client has, over several requests', async () => {
    const stream = server.connect('delta');
    for (let n = 0; n < 3; n += 1) {
      await stream.send({ type: 'endpoint', subscribe: Array.from({ length: 900 }, (_, at) => `n${n}-${at}`) });
    }
    expect((await stream.status).code).toBe(RESOURCE_EXHAUSTED);
  });
});

describe('a stream lives with', () => {
  it('the same node in every request', async () => {
    const stream = server.connect('delta', 'one');
    await stream.ack(await stream.ask({ type: 'cluster', node: { id: 'one' } }));
    expect((await stream.ask({ type: 'endpoint', subscribe: ['a'], node: { id: 'one' } })).names).toEqual(['a']);
  });

  it('types that nobody knows, in both variants', async () => {
    for (const protocol of ['delta', 'sotw'] as const) {
      const stream = server.connect(protocol);
      expect(await stream.ask({ type: 'no.type/at all' })).toMatchObject({
        type: 'no.type/at all',
        names: [],
        removed: [],
      });
    }
  });

  it('absurd names', async () => {
    const names = ['', '__proto__', 'constructor', '../../etc/passwd', 'a\nb\0c', '🦀'.repeat(100)];
    const stream = server.connect('delta');
    expect(await stream.ask({ type: 'endpoint', subscribe: names })).toMatchObject({ names: [], removed: names });
  });

  it('an error about a response that was never sent', async () => {
    const stream = server.connect('delta');
    await stream.send({ type: 'cluster', nonce: 'x', error: 'no' });
    await stream.ack(await stream.next());
    await stream.send({ type: 'cluster', nonce: 'x', error: 'no' });
    await stream.expectNothing();
    expect(server.nacks).toEqual([]);
  });

  it('metadata of all kinds, which the source gets as plain values', async () => {
    const stream = server.connect('delta');
    const value = (kind: object): object => kind;
    const fields = {
      LABELS: value({ structValue: { fields: { app: { stringValue: 'x' } } } }),
      LIST: value({ listValue: { values: [{ numberValue: 1.5 }, { boolValue: true }] } }),
      __proto__: undefined,
    };
    await stream.ask({
      type: 'cluster',
      node: {
        id: 'rich',
        cluster: 'c',
        metadata: { fields },
        locality: { region: 'r', zone: 'z', subZone: 's' },
        userAgentVersion: '1.40',
      },
    });
    expect(server.nodes.at(-1)).toMatchObject({
      id: 'rich',
      cluster: 'c',
      metadata: { LABELS: { app: 'x' }, LIST: [1.5, true] },
      locality: { region: 'r', zone: 'z', subZone: 's' },
      userAgentVersion: '1.40',
    });
  });
});

describe('a flood', () => {
  it('of ten thousand requests on one stream starves nobody', async () => {
    const hostile = server.connect('delta', 'hostile');
    await hostile.send({ type: 'endpoint' });
    const served = (): Promise<number> => server.metric('pilot_xds_expired_nonce{type="eds"}');
    const flood = Array.from({ length: 10_000 }, (_, at) =>
      hostile.send({ type: 'endpoint', nonce: 'x', subscribe: [`n${at % 500}`] }),
    );
    await expect.poll(served).toBeGreaterThan(0);
    server.world.put('cluster', 'c');
    server.changed();
    const response = await bystander.next();
    expect(response.names).toEqual(['c']);
    expect(await served()).toBeLessThan(9000);
    await bystander.ack(response);
    await Promise.all(flood);
    await expect.poll(served, { timeout: 10_000 }).toBe(10_000);
    hostile.call.cancel();
  });
});

/** A request whose node has a struct in a struct in a struct. */
function nestedNode(depth: number): Buffer {
  let struct: Buffer = Buffer.alloc(0);
  for (let n = 0; n < depth; n += 1) {
    const value = field(5, struct);
    struct = field(1, Buffer.concat([field(1, Buffer.from('k')), field(2, value)]));
  }
  return Buffer.concat([
    field(1, Buffer.concat([field(1, Buffer.from('deep')), field(3, struct)])),
    field(2, Buffer.from('t')),
  ]);
}

function field(number: number, content: Buffer): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), content]);
}
