import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import { Link } from '../../feature/xds/support/link.ts';
import { type Judge, ModelClient, type Protocol, type Received } from '../../feature/xds/support/model-client.ts';
import { type Content, type Kind, kinds, World } from '../../feature/xds/support/world.ts';
import { applyEdit, type Edit, edit } from './random-edits.ts';

type Style = 'listed' | 'quoted' | 'silent';

const edits = fc.array(edit, { maxLength: 40, size: 'max' });
const style = fc.constantFrom<Style>('listed', 'quoted', 'silent');

/** Endpoints are good: without them a client would wait before it asks for listeners. */
function isBad(kind: Kind, content: Content | undefined): boolean {
  return kind !== 'endpoint' && content !== undefined && content.revision % 5 === 0;
}

/** Rejects each response that has a bad resource, in one of the ways in which Envoy words that. */
function strict(wording: Style): Judge {
  return ({ kind, resources }: Received) => {
    const bad = [...resources].filter(([, { content }]) => isBad(kind, content)).map(([name]) => name);
    if (bad.length === 0) return undefined;
    if (wording === 'silent') return 'INVALID_ARGUMENT: something is wrong';
    return wording === 'listed'
      ? `Error adding/updating ${kind}(s) ${bad.map((name) => `${name}: no`).join(', ')}`
      : `resource '${bad[0]}' is wrong`;
  };
}

type Outcome = { readonly client: ModelClient; readonly world: World; readonly verdicts: Verdicts };

/** A strict client through a history of changes, at rest after each few of them. */
function run(protocol: Protocol, wording: Style, then: readonly Edit[]): Outcome {
  const verdicts = new Verdicts();
  const world = new World(verdicts);
  const link = new Link(world, new ModelClient(protocol, { judge: strict(wording) }), verdicts);
  for (const [at, each] of then.entries()) {
    applyEdit(world, each);
    if (at % 3 === 0) link.settle();
  }
  link.settle();
  expect(link.overdue).toEqual([]);
  return { client: link.client, world, verdicts };
}

describe.each<Protocol>(['delta', 'sotw'])('%s, a client that rejects some resources', (protocol) => {
  it('comes to rest with every good resource and no bad one', () => {
    fc.assert(
      fc.property(style, edits, (wording, then) => {
        const { client, world } = run(protocol, wording, then);
        for (const kind of kinds) {
          for (const [, { content }] of client.store[kind]) expect(isBad(kind, content)).toBe(false);
        }
        for (const kind of ['cluster', 'listener'] as const) {
          const good = world.names(kind).filter((name) => !isBad(kind, world.content(kind, name)));
          for (const name of good) expect(client.contents()[kind][name]).toEqual(world.content(kind, name));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('rejects each bad version once, or as often as it takes to find it', () => {
    fc.assert(
      fc.property(style, edits, (wording, then) => {
        const { client } = run(protocol, wording, then);
        // 80 revisions at the most, every fifth bad; a silent rejection is found by halving what one response had.
        const badVersions = Math.ceil((2 * then.length) / 5);
        expect(client.errors.length).toBeLessThanOrEqual(badVersions * (wording === 'silent' ? 5 : 1));
      }),
      { numRuns: 100 },
    );
  });

  it('spares who comes later: the same good versions, without one rejection', () => {
    fc.assert(
      fc.property(style, edits, (wording, then) => {
        const { client, world, verdicts } = run(protocol, wording, then);
        const later = new Link(world, new ModelClient(protocol, { judge: strict(wording) }), verdicts);
        later.settle();
        expect(later.client.errors).toEqual([]);
        // Who was there before also keeps what is gone but what a rejected change would have stopped using.
        const [first, second] = [client.contents(), later.client.contents()];
        expect(first).toMatchObject(second);
        expect(second.listener).toEqual(first.listener);
      }),
      { numRuns: 200 },
    );
  });
});
