import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SortedList } from './sorted-list.ts';

type Item = { readonly key: number; readonly version: number };

it('publishes the same array as long as nothing changed', () => {
  const list = new SortedList<Item>((a, b) => a.key - b.key);
  const item = { key: 1, version: 1 };
  list.add(item);
  const published = list.publish();
  expect(list.publish()).toBe(published);
  list.remove(item);
  list.add(item);
  expect(list.publish()).toBe(published);
});

it('is what sorting everything would be', () => {
  const steps = fc.array(
    fc.record({ key: fc.integer({ min: 0, max: 30 }), remove: fc.boolean(), publish: fc.boolean() }),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const list = new SortedList<Item>((a, b) => a.key - b.key);
      const items = new Map<number, Item>();
      for (const [version, { key, remove, publish }] of all.entries()) {
        const old = items.get(key);
        if (old !== undefined) list.remove(old);
        items.delete(key);
        if (!remove) {
          const item = { key, version };
          items.set(key, item);
          list.add(item);
        }
        if (publish) list.publish();
      }
      expect(list.publish()).toEqual([...items.values()].sort((a, b) => a.key - b.key));
    }),
  );
});
