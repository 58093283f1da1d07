import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NamePool, noNames } from '../../../src/xds/name-pool.ts';
import { type EncodedResource, encodeResource } from '../../../src/xds/resource.ts';
import { diffSets, emptyResourceSet, nextResourceSet, type ResourceSet } from '../../../src/xds/resource-set.ts';
import { ServedSets } from '../../../src/xds/served-set.ts';
import { Verdicts } from '../../../src/xds/verdicts.ts';

const typeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const contents = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat({ max: 3 }));
const history = fc.array(contents, { minLength: 1, maxLength: 12, size: 'max' });

function resource(name: string, content: number): EncodedResource {
  return encodeResource({ typeUrl, name, value: Buffer.from(`${name} ${content}`), needs: [], origins: [] });
}

function versionsOf(resources: Iterable<EncodedResource>): Record<string, string> {
  return Object.fromEntries([...resources].map(({ name, version }) => [name, version]));
}

function applyDiff(
  have: Record<string, string>,
  changed: readonly EncodedResource[],
  removed: readonly string[],
): Record<string, string> {
  const next = { ...have, ...versionsOf(changed) };
  for (const name of removed) delete next[name];
  return next;
}

describe('resource sets', () => {
  it('made step by step have what sets made from scratch have, and diffs lead from any to any', () => {
    fc.assert(
      fc.property(history, (states) => {
        const verdicts = new Verdicts();
        const sets: ResourceSet[] = [emptyResourceSet(typeUrl, verdicts)];
        for (const state of states) {
          const last = sets.at(-1) ?? emptyResourceSet(typeUrl, verdicts);
          const resources = Object.entries(state).map(([name, content]) => resource(name, content));
          const next = nextResourceSet(last, resources);
          expect(versionsOf(next.resources.values())).toEqual(versionsOf(resources));
          sets.push(next);
        }
        for (const older of sets) {
          for (const newer of sets) {
            const { changed, removed } = diffSets(older, newer);
            const result = applyDiff(versionsOf(older.resources.values()), changed, removed);
            expect(result).toEqual(versionsOf(newer.resources.values()));
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('as served never have a rejected version, and diffs of these lead from any to any', () => {
    const word = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), isGood: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(contents, fc.array(word, { maxLength: 4 })), { maxLength: 10, size: 'max' }),
        (states) => {
          const verdicts = new Verdicts();
          const served = new ServedSets();
          let set = emptyResourceSet(typeUrl, verdicts);
          const seen = [served.of(set)];
          for (const [state, words] of states) {
            set = nextResourceSet(
              set,
              Object.entries(state).map(([name, content]) => resource(name, content)),
            );
            for (const { name, isGood } of words) {
              const judged = set.resources.get(name);
              if (judged !== undefined && isGood) verdicts.accept(judged);
              else if (judged !== undefined) verdicts.reject(judged, 'proxy');
              seen.push(served.of(set));
            }
            expect(served.of(set)).toBe(served.of(set));
            for (const each of served.of(set).resources) expect(verdicts.isRejected(each)).toBe(false);
          }
          for (const older of seen) {
            for (const newer of seen) {
              const { changed, removed, kept } = newer.diffFrom(older);
              const result = applyDiff(versionsOf(older.resources), changed, removed);
              for (const name of kept) delete result[name];
              expect(result).toEqual(versionsOf(newer.resources));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('name sets', () => {
  it('have the names that the changes leave, and are one object when equal', () => {
    const name = fc.constantFrom(...Array.from({ length: 30 }, (_, at) => `n${at}`));
    const change = fc.record({
      add: fc.array(name, { size: 'max', maxLength: 30 }),
      without: fc.array(name, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8, size: 'max' }), (changes) => {
        const pool = new NamePool();
        let set = noNames;
        const model = new Set<string>();
        for (const { add, without } of changes) {
          set = pool.change(set, add, new Set(without));
          for (const each of add) model.add(each);
          for (const each of without) model.delete(each);
          expect([...set].sort()).toEqual([...model].sort());
          if (set.size >= 16) expect(pool.change(noNames, [...model], new Set())).toBe(set);
        }
      }),
      { numRuns: 200 },
    );
  });
});
