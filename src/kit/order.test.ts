import { expect, test } from 'vitest';
import { compareText, sortedEntries } from './order.ts';

test('texts are in the order of their code units, whatever the locale', () => {
  const sorted = ['b', 'B', 'ä', 'a', 'a1', 'a-', '', '10', '9', '😀', '\uffff'].sort(compareText);
  expect(sorted).toEqual(['', '10', '9', 'B', 'a', 'a-', 'a1', 'b', 'ä', '😀', '\uffff']);
  expect(compareText('a', 'a')).toBe(0);
});

test('entries come by key, numbers too', () => {
  expect(sortedEntries({ b: 1, a: 2, 10: 3, 9: 4 })).toEqual([
    ['10', 3],
    ['9', 4],
    ['a', 2],
    ['b', 1],
  ]);
});
