import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import { Link } from '../../feature/xds/support/link.ts';
import { ModelClient, type Protocol } from '../../feature/xds/support/model-client.ts';
import { World } from '../../feature/xds/support/world.ts';
import { expectInStep } from './expect-in-step.ts';
import { applyEdit, type Edit, edit } from './random-edits.ts';

type Step = { readonly kind: 'request' | 'server' | 'client' } | { readonly kind: 'edit'; readonly edit: Edit };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('request' as const, 'server' as const, 'client' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('edit' as const), edit }) },
);
const initial = fc.array(edit, { minLength: 10, maxLength: 40, size: 'max' });
const steps = fc.array(step, { maxLength: 300, size: 'max' });
const splitBytes = fc.constantFrom(1, 200, 1_000_000);

function take(link: Link, world: World, each: Step): void {
  if (each.kind === 'edit') applyEdit(world, each.edit);
  else if (each.kind === 'request') link.stepRequest();
  else if (each.kind === 'server') link.stepServer();
  else link.stepClient();
}

/** Runs any interleaving of changes and messages, then lets both sides come to rest. */
function run(
  protocol: Protocol,
  first: readonly Edit[],
  then: readonly Step[],
  bytes: number,
): { link: Link; world: World } {
  const verdicts = new Verdicts();
  const world = new World(verdicts);
  for (const each of first) applyEdit(world, each);
  const link = new Link(world, new ModelClient(protocol), verdicts, { splitBytes: bytes });
  const check = (): void => expect(link.client.brokenReferences()).toEqual([]);
  const isCalmFirst = first.length % 2 === 0;
  if (isCalmFirst) link.settle(check);
  for (const each of then) {
    take(link, world, each);
    check();
  }
  link.settle(check);
  return { link, world };
}

describe.each<Protocol>(['delta', 'sotw'])('%s, any changes in any interleaving', (protocol) => {
  it('never leaves a reference broken, and ends in step without the help of time', () => {
    fc.assert(
      fc.property(initial, steps, splitBytes, (first, then, bytes) => {
        const { link, world } = run(protocol, first, then, bytes);
        expectInStep(link.client, world);
        expect(link.overdue).toEqual([]);
        expect(link.session.isWaiting).toBe(false);
      }),
      { numRuns: 250 },
    );
  });

  it('sends nothing that the client has, but endpoints after their cluster', () => {
    fc.assert(
      fc.property(initial, steps, (first, then) => {
        const { link } = run(protocol, first, then, 1_000_000);
        expect(link.client.duplicates).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });
});

describe('both variants', () => {
  it('bring their clients to the same state, which is that of a client that comes later', () => {
    fc.assert(
      fc.property(initial, fc.array(edit, { maxLength: 20 }), (first, then) => {
        const edits = then.map((each) => ({ kind: 'edit' as const, edit: each }));
        const [delta, sotw] = (['delta', 'sotw'] as const).map((protocol) =>
          run(protocol, first, edits, 1_000_000).link.client.contents(),
        );
        const fresh = run('delta', [...first, ...then], [], 1_000_000).link.client.contents();
        expect(sotw).toEqual(delta);
        expect(fresh).toEqual(delta);
      }),
      { numRuns: 100 },
    );
  });
});
