// A sink that is told only of changes holds what one that is told everything holds, whatever it confirms, refuses or repeats.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CollectionState } from '../../../src/galley/distribution/catalog.ts';
import { McpSession } from '../../../src/galley/distribution/mcp-session.ts';
import { decodeMessage, encodeMessage } from '../../../src/gen/codec.ts';
import type { McpRequestResources, McpResources } from '../../../src/gen/types.ts';
import type { ConfigSnapshot } from '../../../src/model/config-snapshot.ts';

const COLLECTION = 'x';
const names = ['a', 'b'];

type Versions = Readonly<Record<string, string>>;

function stateOf(versions: Versions): CollectionState {
  const entries = Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1));
  const resources = entries.map(([name, version]) => {
    const bytes = encodeMessage('istio.mcp.v1alpha1.Resource', { metadata: { name, version } });
    return [name, { name, version, bytes, object: { kind: 'K', namespace: '', name } }] as const;
  });
  return { version: JSON.stringify(entries), resources: new Map(resources) };
}

/** A sink as far as it holds resources. Where it refuses, it may have taken some of the response all the same. */
class ModelSink {
  readonly held = new Map<string, string>();
  readonly isIncremental: boolean;
  last: McpResources | undefined;

  constructor(isIncremental: boolean) {
    this.isIncremental = isIncremental;
  }

  take(response: McpResources, taken: (name: string) => boolean): void {
    this.last = response;
    const { resources = [], removedResources = [], incremental = false } = response;
    const present = new Set(resources.map(({ metadata }) => metadata?.name ?? ''));
    const gone = incremental ? removedResources : [...this.held.keys()].filter((name) => !present.has(name));
    for (const name of gone) if (taken(name)) this.held.delete(name);
    for (const { metadata } of resources) {
      const { name = '', version = '' } = metadata ?? {};
      if (taken(name)) this.held.set(name, version);
    }
  }

  request(more: Partial<McpRequestResources>): McpRequestResources {
    return { collection: COLLECTION, incremental: this.isIncremental, ...more };
  }
}

class World {
  state = stateOf({});
  session = this.#newSession();

  #newSession(): McpSession {
    const nothing = (): void => undefined;
    return new McpSession(
      { hasCollection: () => true, collection: () => this.state },
      { acked: nothing, nacked: nothing, stale: nothing },
    );
  }

  reconnect(sink: ModelSink): void {
    this.session = this.#newSession();
    sink.last = undefined;
    this.session.receive(sink.request({ initialResourceVersions: Object.fromEntries(sink.held) }));
  }

  next(): McpResources | undefined {
    const outgoing = this.session.next({} as ConfigSnapshot);
    if (outgoing === undefined) return undefined;
    const bytes = Buffer.alloc(outgoing.message.byteLength);
    outgoing.message.copy(bytes, 0);
    return decodeMessage('istio.mcp.v1alpha1.Resources', bytes);
  }
}

type Step =
  | { readonly kind: 'change'; readonly versions: Versions }
  | { readonly kind: 'answer'; readonly refuse: boolean; readonly taken: readonly string[] }
  | { readonly kind: 'stale' }
  | { readonly kind: 'reconnect' };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('change' as const),
      versions: fc.dictionary(fc.constantFrom(...names), fc.constantFrom('1', '2')),
    }),
    fc.record({ kind: fc.constant('answer' as const), refuse: fc.boolean(), taken: fc.subarray(names) }),
    fc.constantFrom<Step>({ kind: 'stale' }, { kind: 'reconnect' }),
  ),
  { maxLength: 40, size: 'max' },
);

function play(sink: ModelSink, all: readonly Step[]): { readonly world: World; readonly redundant: number } {
  const world = new World();
  let redundant = 0;
  world.reconnect(sink);
  const answer = (refuse: boolean, taken: readonly string[]): void => {
    const response = world.next();
    if (response === undefined) return;
    if (response.incremental === true && !refuse) redundant += unneeded(sink, response);
    sink.take(response, (name) => !refuse || taken.includes(name));
    const nonce = { responseNonce: response.nonce ?? '' };
    world.session.receive(sink.request(refuse ? { ...nonce, errorDetail: { code: 3, message: 'no' } } : nonce));
  };
  for (const step of all) {
    if (step.kind === 'change') world.state = stateOf(step.versions);
    else if (step.kind === 'answer') answer(step.refuse, step.taken);
    else if (step.kind === 'stale') world.session.receive(sink.request({ responseNonce: 'old' }));
    else world.reconnect(sink);
  }
  // In the end the world is still, but for one last change, and the sink takes what comes.
  world.state = stateOf({ ...Object.fromEntries([...world.state.resources].map(([n, r]) => [n, r.version])), z: '1' });
  for (let turn = 0; turn < 5; turn += 1) answer(false, []);
  return { world, redundant };
}

/** Resources of a response that the sink already has as they are. */
function unneeded(sink: ModelSink, { resources = [] }: McpResources): number {
  return resources.filter(({ metadata }) => sink.held.get(metadata?.name ?? '') === metadata?.version).length;
}

function versionsOf(world: World): Versions {
  return Object.fromEntries([...world.state.resources].map(([name, { version }]) => [name, version]));
}

test('changes add up to the whole', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const [whole, changes] = [new ModelSink(false), new ModelSink(true)];
      const end = versionsOf(play(whole, all).world);
      play(changes, all);
      expect(Object.fromEntries(whole.held)).toEqual(end);
      expect(Object.fromEntries(changes.held)).toEqual(end);
    }),
  );
});

test('a sink that refuses nothing gets nothing twice', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const willing = all.map((step) => (step.kind === 'answer' ? { ...step, refuse: false } : step));
      expect(play(new ModelSink(true), willing).redundant).toBe(0);
    }),
  );
});
