import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GroupIndex } from './group-index.ts';
import { LabelIndex, SelectorIndex, selects } from './label-index.ts';
import { changeOf } from './list-change.ts';
import { editSorted } from './sorted-list.ts';

const items = Array.from({ length: 8 }, (_, id) => ({ id }));
const list = fc.uniqueArray(fc.constantFrom(...items)).map((picked) => picked.toSorted((a, b) => a.id - b.id));

it('finds what left a list and what came', () => {
  fc.assert(
    fc.property(list, list, (before, after) => {
      const { removed, added } = changeOf(before, after);
      expect(removed).toEqual(before.filter((item) => !after.includes(item)));
      expect(added).toEqual(after.filter((item) => !before.includes(item)));
    }),
  );
});

it('groups as if from scratch, and keeps the array of an untouched group', () => {
  const groupsOf = ({ id }: { readonly id: number }): readonly string[] =>
    id === 0 ? [] : [`mod${id % 3}`, `small${id < 4}`];
  const options = { groupsOf, compare: (a: { id: number }, b: { id: number }): number => a.id - b.id };
  fc.assert(
    fc.property(list, list, (before, after) => {
      const index = new GroupIndex(options);
      index.apply(changeOf([], before));
      const groups = new Map([...index.groups()].map((group) => [group, index.get(group)]));
      const touched = index.apply(changeOf(before, after));
      const scratch = new GroupIndex(options);
      scratch.apply(changeOf([], after));
      expect(new Set(index.groups())).toEqual(new Set(scratch.groups()));
      for (const group of index.groups()) {
        expect(index.get(group)).toEqual(scratch.get(group));
        if (!touched.has(group)) expect(index.get(group)).toBe(groups.get(group));
      }
    }),
  );
});

const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { maxKeys: 3 });
const namespace = fc.constantFrom('x', 'y');

it('finds by selector and by labels what a comparison of all finds', () => {
  const carriers = fc.array(fc.record({ namespace, labels }), { maxLength: 10 });
  const selectors = fc.array(fc.record({ namespace, selector: labels }), { maxLength: 10 });
  fc.assert(
    fc.property(carriers, selectors, fc.nat(), (carrying, selecting, gone) => {
      const byLabels = new LabelIndex<(typeof carrying)[number]>();
      const bySelector = new SelectorIndex<(typeof selecting)[number]>();
      byLabels.apply({ removed: [], added: carrying });
      bySelector.apply({ removed: [], added: selecting });
      byLabels.apply({ removed: carrying.slice(gone), added: [] });
      bySelector.apply({ removed: selecting.slice(gone), added: [] });
      const leftCarrying = carrying.slice(0, gone);
      const leftSelecting = selecting.slice(0, gone);
      for (const one of selecting) {
        const expected = leftCarrying.filter(
          (item) => item.namespace === one.namespace && selects(one.selector, item.labels),
        );
        expect(new Set(byLabels.selectedBy(one))).toEqual(new Set(expected));
      }
      for (const one of carrying) {
        const expected = leftSelecting.filter(
          (item) => item.namespace === one.namespace && selects(item.selector, one.labels),
        );
        expect(new Set(bySelector.selecting(one))).toEqual(new Set(expected));
      }
    }),
  );
});

it('edits a sorted list as if it were sorted again', () => {
  const numbers = fc.array(fc.nat(20), { maxLength: 12 });
  const compare = (a: number, b: number): number => a - b;
  fc.assert(
    fc.property(numbers, numbers, fc.nat(5), (list, added, count) => {
      const sorted = list.toSorted(compare);
      const removed = sorted.slice(0, count);
      const stayed = sorted.filter((item) => !removed.includes(item));
      expect(editSorted(sorted, { removed, added }, compare)).toEqual([...stayed, ...added].sort(compare));
    }),
  );
});
