import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shareEqual } from './share-equal.ts';

it('takes over the parts that did not change', () => {
  const previous = { hosts: ['a'], http: [{ name: 'one', match: [{ x: 1 }] }, { name: 'two' }] };
  const next = { hosts: ['a'], http: [{ name: 'ONE', match: [{ x: 1 }] }, { name: 'two' }] };
  expect(shareEqual(previous, next)).toBe(false);
  expect(next.hosts).toBe(previous.hosts);
  expect(next.http[0]?.match).toBe(previous.http[0]?.match);
  expect(next.http[1]).toBe(previous.http[1]);
  expect(next.http[0]).toEqual({ name: 'ONE', match: [{ x: 1 }] });
});

it('leaves frozen parts alone', () => {
  const next = Object.freeze({ a: Object.freeze([1]), b: 2 });
  expect(shareEqual({ a: [1], b: 3 }, next)).toBe(false);
  expect(next).toEqual({ a: [1], b: 2 });
});

it('is equality, and never changes what a value says', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const before = structuredClone(b);
      const same = shareEqual(a, b);
      expect(b).toEqual(before);
      expect(same).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      expect(shareEqual(a, structuredClone(a))).toBe(true);
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Object.is(value, -0)) return 'minus zero';
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}
