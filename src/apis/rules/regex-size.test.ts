import { describe, expect, test } from 'vitest';
import { regexSize } from './regex-size.ts';

describe('the size of an expression', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['a{3}', 3],
    ['a{2,5}b', 6],
    ['a{2,}', 2],
    ['[a-z]{10}', 10],
    ['[]{9}]{4}', 4],
    ['[^]a]{2}', 2],
    [String.raw`\{5}`, 3],
    [String.raw`[\]]{3}`, 3],
    ['(ab){10}', 40],
    ['((a{10}){10}){10}', 1220],
    ['a{x}', 4],
    [')', 1],
    ['{5}', 0],
  ])('%s', (regex, size) => {
    expect(regexSize(regex)).toBe(size);
  });
});
