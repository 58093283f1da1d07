import { describe, expect, test } from 'vitest';
import { KeyedMemo, keepIfSame, latest, memoByIdentity, sameFields } from './memo.ts';

type Inputs = { readonly list: readonly number[]; readonly factor: number };

describe('a keyed memo', () => {
  function sums(): { readonly memo: KeyedMemo<string, Inputs, { readonly sum: number }>; readonly built: string[] } {
    const built: string[] = [];
    const memo = new KeyedMemo<string, Inputs, { readonly sum: number }>(({ list, factor }, key) => {
      built.push(key);
      return { sum: factor * list.reduce((sum, item) => sum + item, 0) };
    });
    return { memo, built };
  }

  test('builds again only when a field is another object', () => {
    const { memo, built } = sums();
    const list = [1, 2];
    const first = memo.get('a', { list, factor: 2 });
    expect(memo.get('a', { list, factor: 2 })).toBe(first);
    expect(built).toEqual(['a']);
    expect(memo.get('a', { list, factor: 3 })).toEqual({ sum: 9 });
    expect(memo.get('a', { list: [1, 2], factor: 3 })).toEqual({ sum: 9 });
    expect(built).toEqual(['a', 'a', 'a']);
  });

  test('remembers one output per key, the newest', () => {
    const { memo, built } = sums();
    const list = [1];
    memo.get('a', { list, factor: 1 });
    memo.get('b', { list, factor: 1 });
    memo.get('a', { list, factor: 2 });
    memo.get('a', { list, factor: 1 });
    expect(built).toEqual(['a', 'b', 'a', 'a']);
  });

  test('forgets keys that are not live', () => {
    const { memo, built } = sums();
    const list = [1];
    for (const key of ['a', 'b', 'c']) memo.get(key, { list, factor: 1 });
    memo.retain(new Set(['b']));
    expect(memo.size).toBe(1);
    memo.get('b', { list, factor: 1 });
    memo.get('c', { list, factor: 1 });
    expect(built).toEqual(['a', 'b', 'c', 'c']);
  });

  test('an output of undefined is remembered like any other', () => {
    let count = 0;
    const memo = new KeyedMemo<string, { readonly at: number }, undefined>(() => void (count += 1));
    memo.get('a', { at: 1 });
    memo.get('a', { at: 1 });
    expect(count).toBe(1);
  });
});

describe('the latest output', () => {
  test('is kept while the inputs are, and is handed to who builds the next', () => {
    const seen: (string | undefined)[] = [];
    const join = latest(({ text }: { readonly text: string }, previous: string | undefined) => {
      seen.push(previous);
      return `${text}!`;
    });
    expect(join({ text: 'a' })).toBe('a!');
    expect(join({ text: 'a' })).toBe('a!');
    expect(join({ text: 'b' })).toBe('b!');
    expect(seen).toEqual([undefined, 'a!']);
  });

  test('survives a build that throws', () => {
    const halve = latest(({ value }: { readonly value: number }) => {
      if (value < 0) throw new Error('negative');
      return { half: value / 2 };
    });
    const four = { value: 4 };
    const first = halve(four);
    expect(() => halve({ value: -1 })).toThrow('negative');
    expect(halve(four)).toBe(first);
  });
});

describe('sameness', () => {
  test('of fields is by identity, and NaN is itself', () => {
    const item = {};
    expect(sameFields({ a: item, b: Number.NaN }, { b: Number.NaN, a: item })).toBe(true);
    expect(sameFields({ a: {} }, { a: {} })).toBe(false);
    expect(sameFields({ a: undefined }, { b: undefined } as unknown as { a: undefined })).toBe(true);
    expect(sameFields({ a: 1 } as Record<string, number>, { a: 1, b: 2 })).toBe(false);
  });

  test('of lists keeps the list that was there', () => {
    const [one, two] = [{}, {}];
    const before = [one, two];
    expect(keepIfSame(before, [one, two])).toBe(before);
    for (const next of [[two, one], [one], [one, two, {}], [{}, two]]) expect(keepIfSame(before, next)).toBe(next);
    const empty: readonly object[] = [];
    expect(keepIfSame(undefined, empty)).toBe(empty);
  });

  test('of one object decides what is built of it', () => {
    let count = 0;
    const describeIt = memoByIdentity((input: { readonly name: string }) => {
      count += 1;
      return input.name === '' ? undefined : input.name;
    });
    const [named, nameless] = [{ name: 'a' }, { name: '' }];
    for (let turn = 0; turn < 2; turn += 1) {
      expect(describeIt(named)).toBe('a');
      expect(describeIt(nameless)).toBeUndefined();
    }
    expect(describeIt({ name: 'a' })).toBe('a');
    expect(count).toBe(3);
  });
});
