import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import { HOLD_MS, Link } from '../../feature/xds/support/link.ts';
import { ModelClient, type Protocol } from '../../feature/xds/support/model-client.ts';
import { World } from '../../feature/xds/support/world.ts';
import { expectInStep } from './expect-in-step.ts';
import { applyEdit, type Edit, edit } from './random-edits.ts';

const initial = fc.array(edit, { minLength: 10, maxLength: 40, size: 'max' });
type Move = 'request' | 'server' | 'client' | Edit;
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('request', 'server', 'client') },
  { weight: 1, arbitrary: edit },
);
const moves = fc.array(move, { maxLength: 60, size: 'max' });
const streams = fc.array(moves, { minLength: 1, maxLength: 4, size: 'max' });

function take(link: Link, world: World, move: Move): void {
  if (typeof move !== 'string') applyEdit(world, move);
  else if (move === 'request') link.stepRequest();
  else if (move === 'server') link.stepServer();
  else link.stepClient();
}

/** One client over several streams, each broken off anywhere, then a last one that is left alone. */
function run(
  protocol: Protocol,
  first: readonly Edit[],
  then: readonly (readonly Move[])[],
): { link: Link; world: World; broken: readonly string[] } {
  const verdicts = new Verdicts();
  const world = new World(verdicts);
  for (const each of first) applyEdit(world, each);
  const client = new ModelClient(protocol);
  const broken: string[] = [];
  let unfinished: ReadonlySet<string> = new Set();
  for (const each of then) {
    const link = new Link(world, client, verdicts, { unfinished });
    for (const next of each) {
      take(link, world, next);
      broken.push(...client.brokenReferences());
    }
    unfinished = link.session.unfinishedEndpoints();
  }
  const link = new Link(world, client, verdicts, { unfinished });
  const check = (): void => void broken.push(...client.brokenReferences());
  link.settle(check);
  // A client that has not asked for listeners yet may still have some: nothing is removed before that is known, or taken for granted.
  link.now += HOLD_MS;
  link.settle(check);
  return { link, world, broken };
}

describe('a delta client whose streams break off', () => {
  it('is never left with a broken reference, waits for nothing, and ends in step', () => {
    fc.assert(
      fc.property(initial, streams, (first, then) => {
        const { link, world, broken } = run('delta', first, then);
        expect(broken).toEqual([]);
        expectInStep(link.client, world);
        expect(link.overdue).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('is sent nothing when it comes back and nothing has changed', () => {
    fc.assert(
      fc.property(initial, (first) => {
        const { link, world } = run('delta', first, []);
        fc.pre(world.names('cluster').length > 0 && world.names('listener').length > 0);
        const again = new Link(world, link.client, new Verdicts(), { unfinished: link.session.unfinishedEndpoints() });
        while (again.stepRequest());
        expect(again.stepServer()).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a state-of-the-world client whose streams break off', () => {
  it('ends in step', () => {
    fc.assert(
      fc.property(initial, streams, (first, then) => {
        const { link, world } = run('sotw', first, then);
        expectInStep(link.client, world);
        expect(link.overdue).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
