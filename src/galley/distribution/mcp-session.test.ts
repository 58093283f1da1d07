import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../gen/codec.ts';
import type { McpResources } from '../../gen/types.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { CollectionState } from './catalog.ts';
import { McpSession } from './mcp-session.ts';

const snapshot = {} as ConfigSnapshot;

/** Collections whose states the test sets, and one sink. */
class World {
  readonly heard: string[] = [];
  readonly #states = new Map<string, CollectionState>();
  readonly session = new McpSession(
    {
      hasCollection: (name) => this.#states.has(name),
      collection: (name) => this.#states.get(name),
    },
    {
      acked: (collection) => this.heard.push(`ack ${collection}`),
      nacked: (collection, { code, message }) => this.heard.push(`nack ${collection} ${code} ${message}`),
      stale: (collection, nonce) => this.heard.push(`stale ${collection} ${nonce}`),
    },
  );

  set(collection: string, versions: Readonly<Record<string, string>>): void {
    const resources = Object.entries(versions).map(([name, version]) => {
      const bytes = encodeMessage('istio.mcp.v1alpha1.Resource', { metadata: { name, version } });
      return [name, { name, version, bytes, object: { kind: 'K', namespace: '', name } }] as const;
    });
    this.#states.set(collection, { version: JSON.stringify(versions), resources: new Map(resources) });
  }

  ask(collection: string, more: object = {}): void {
    expect(this.session.receive({ collection, ...more })).toBeUndefined();
  }

  /** What is sent now, in short. */
  sent(): readonly string[] {
    const sent: string[] = [];
    for (let next = this.session.next(snapshot); next !== undefined; next = this.session.next(snapshot)) {
      const bytes = Buffer.alloc(next.message.byteLength);
      next.message.copy(bytes, 0);
      sent.push(brief(decodeMessage('istio.mcp.v1alpha1.Resources', bytes)));
    }
    return sent;
  }
}

function brief({ collection, nonce, incremental, resources = [], removedResources = [] }: McpResources): string {
  const held = resources.map(({ metadata }) => `${metadata?.name}=${metadata?.version}`);
  const gone = removedResources.map((name) => `-${name}`);
  return [`${collection}#${nonce}`, incremental === true ? 'changes' : 'all', ...held, ...gone].join(' ');
}

describe('a session of MCP', () => {
  test('answers a first request at once, empty or not, and the next on change', () => {
    const world = new World();
    world.set('x', {});
    world.ask('x');
    expect(world.sent()).toEqual(['x#1 all']);
    world.set('x', { a: '1' });
    expect(world.sent()).toEqual([]);
    world.ask('x', { responseNonce: '1' });
    expect(world.sent()).toEqual(['x#2 all a=1']);
    world.ask('x', { responseNonce: '2' });
    expect(world.sent()).toEqual([]);
    world.set('x', { a: '2' });
    expect(world.sent()).toEqual(['x#3 all a=2']);
    expect(world.heard).toEqual(['ack x', 'ack x']);
  });

  test('replaces what waits by what is newest, and is silent when that is what the sink has', () => {
    const world = new World();
    world.set('x', { a: '1' });
    world.ask('x');
    world.sent();
    world.set('x', { a: '2' });
    world.set('x', { a: '3' });
    world.ask('x', { responseNonce: '1' });
    expect(world.sent()).toEqual(['x#2 all a=3']);
    world.set('x', { a: '4' });
    world.set('x', { a: '3' });
    world.ask('x', { responseNonce: '2' });
    expect(world.sent()).toEqual([]);
  });

  test('keeps collections apart', () => {
    const world = new World();
    world.set('x', { a: '1' });
    world.set('y', { b: '1' });
    world.ask('x');
    world.ask('y');
    expect(world.sent()).toEqual(['x#1 all a=1', 'y#2 all b=1']);
    world.set('x', { a: '2' });
    world.set('y', { b: '2' });
    world.ask('y', { responseNonce: '2' });
    expect(world.sent()).toEqual(['y#3 all b=2']);
  });

  test('ignores an answer to anything but the last response', () => {
    const world = new World();
    world.set('x', { a: '1' });
    world.ask('x');
    world.sent();
    world.set('x', { a: '2' });
    world.ask('x', { responseNonce: '9' });
    expect(world.sent()).toEqual([]);
    world.ask('x', { responseNonce: '1' });
    world.ask('x', { responseNonce: '1' });
    expect(world.heard).toEqual(['stale x 9', 'ack x', 'stale x 1']);
  });

  test('sends what changed only to who asks for that in its last request', () => {
    const world = new World();
    world.set('x', { a: '1', b: '1' });
    world.ask('x', { incremental: true });
    expect(world.sent()).toEqual(['x#1 all a=1 b=1']);
    world.ask('x', { responseNonce: '1', incremental: true });
    world.set('x', { a: '1', c: '1' });
    expect(world.sent()).toEqual(['x#2 changes c=1 -b']);
    world.ask('x', { responseNonce: '2' });
    world.set('x', { a: '2', c: '1' });
    expect(world.sent()).toEqual(['x#3 all a=2 c=1']);
  });

  test('sends a refused answer no second time, and after it whatever the sink may have taken of it', () => {
    const world = new World();
    world.set('x', { a: '1' });
    world.ask('x', { incremental: true });
    world.sent();
    world.ask('x', { responseNonce: '1', incremental: true });
    world.set('x', { a: '1', b: 'bad' });
    expect(world.sent()).toEqual(['x#2 changes b=bad']);
    world.ask('x', { responseNonce: '2', incremental: true, errorDetail: { code: 3, message: 'b' } });
    expect(world.sent()).toEqual([]);
    world.set('x', { a: '1' });
    expect(world.sent()).toEqual(['x#3 changes -b']);
    world.ask('x', { responseNonce: '3', incremental: true, errorDetail: { code: 3, message: 'no' } });
    world.set('x', { a: '1', b: '1' });
    expect(world.sent()).toEqual(['x#4 changes b=1']);
    expect(world.heard).toEqual(['ack x', 'nack x 3 b', 'nack x 3 no']);
  });

  test('believes what a sink says it has', () => {
    const world = new World();
    world.set('x', { a: '2', b: '1' });
    world.ask('x', { incremental: true, initialResourceVersions: { a: '1', b: '1', c: '1' } });
    expect(world.sent()).toEqual(['x#1 changes a=2 -c']);
    world.ask('x', { incremental: true, initialResourceVersions: { a: '2', b: '1' } });
    expect(world.sent()).toEqual(['x#2 changes']);
  });

  test('ends the stream of who asks for what does not exist', () => {
    const world = new World();
    expect(world.session.receive({ collection: 'z' })).toEqual({ code: 3, message: 'there is no collection "z"' });
  });
});
