import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter } from './lines.ts';

describe('lines', () => {
  test('are the same wherever chunks begin and end, within characters too', () => {
    // Of one to four bytes.
    const letter = fc.constantFrom('a', '\r', '\u0000', 'ü', '漢', '😀');
    const line = fc.string({ unit: letter, minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.nat(20), { maxLength: 20 }),
        fc.string({ unit: letter, maxLength: 12 }),
        (lines, sizes, tail) => {
          const bytes = Buffer.from([...lines, tail].join('\n'));
          const splitter = new LineSplitter(1_000_000);
          const got: string[] = [];
          let at = 0;
          for (const size of [...sizes, bytes.length]) {
            got.push(...(splitter.push(bytes.subarray(at, at + size)) ?? []));
            at += size;
          }
          expect(got).toEqual(lines);
          expect(splitter.pending).toBe(Buffer.byteLength(tail));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('that are too long are refused, whether their end came or not', () => {
    expect(new LineSplitter(3).push(Buffer.from('abc\n'))).toEqual(['abc']);
    expect(new LineSplitter(3).push(Buffer.from('abcd\n'))).toBeUndefined();
    const splitter = new LineSplitter(3);
    expect(splitter.push(Buffer.from('ab'))).toEqual([]);
    expect(splitter.push(Buffer.from('cd'))).toBeUndefined();
  });

  test('that are empty do not count', () => {
    expect(new LineSplitter(9).push(Buffer.from('\n\na\n\n'))).toEqual(['a']);
  });
});
