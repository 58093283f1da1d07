import { expect, test } from 'vitest';
import { IdentityMemo } from './identity-memo.ts';

type Inputs = { readonly text: string };

function counted(): {
  readonly memo: IdentityMemo<object, Inputs, { readonly shout: string }>;
  readonly built: string[];
} {
  const built: string[] = [];
  const memo = new IdentityMemo<object, Inputs, { readonly shout: string }>(({ text }) => {
    built.push(text);
    return { shout: `${text}!` };
  });
  return { memo, built };
}

test('one anchor, sub-key and inputs have one output', () => {
  const { memo, built } = counted();
  const anchor = {};
  const first = memo.get(anchor, 'a', { text: 'x' });
  expect(memo.get(anchor, 'a', { text: 'x' })).toBe(first);
  expect(built).toEqual(['x']);
});

test('other inputs replace an entry; sub-keys and anchors have entries of their own', () => {
  const { memo, built } = counted();
  const [one, other] = [{}, {}];
  memo.get(one, 'a', { text: 'x' });
  memo.get(one, 'b', { text: 'x' });
  memo.get(other, 'a', { text: 'x' });
  expect(built).toEqual(['x', 'x', 'x']);
  expect(memo.get(one, 'a', { text: 'y' })).toEqual({ shout: 'y!' });
  memo.get(one, 'a', { text: 'x' });
  memo.get(one, 'b', { text: 'x' });
  expect(built).toEqual(['x', 'x', 'x', 'y', 'x']);
});

test('what throws is asked again', () => {
  let isBroken = true;
  const memo = new IdentityMemo<object, Inputs, string>(({ text }) => {
    if (isBroken) throw new Error('broken');
    return text;
  });
  const anchor = {};
  expect(() => memo.get(anchor, '', { text: 'x' })).toThrow('broken');
  isBroken = false;
  expect(memo.get(anchor, '', { text: 'x' })).toBe('x');
});
