import { expect, test } from 'vitest';
import { FairSlots } from './fair-slots.ts';

function taker(slots: FairSlots): (source: string) => (() => void) | undefined {
  return (source) => slots.take(source, () => evicted.push(source));
}

let evicted: string[] = [];

test('slots are given until there are none, and given back once', () => {
  evicted = [];
  const slots = new FairSlots(2);
  const take = taker(slots);
  const release = take('a');
  take('b');
  expect(slots.taken).toBe(2);
  release?.();
  release?.();
  expect(slots.taken).toBe(1);
  expect(take('c')).toBeDefined();
  expect(evicted).toEqual([]);
});

test('who has most gives way, with its oldest', () => {
  evicted = [];
  const slots = new FairSlots(4);
  const take = taker(slots);
  const first = take('many');
  for (const source of ['many', 'many', 'few']) take(source);
  expect(take('new')).toBeDefined();
  expect([evicted, slots.taken]).toEqual([['many'], 4]);
  // What was evicted has nothing left to give back.
  first?.();
  expect(slots.taken).toBe(4);
});

test('who floods replaces only its own', () => {
  evicted = [];
  const slots = new FairSlots(3);
  const take = taker(slots);
  for (const source of ['a', 'b', 'flood']) take(source);
  for (let turn = 0; turn < 100; turn += 1) take('flood');
  expect(new Set(evicted)).toEqual(new Set(['flood']));
});

test('among equals nobody gives way to somebody who has as many', () => {
  evicted = [];
  const slots = new FairSlots(2);
  const take = taker(slots);
  take('a');
  take('b');
  expect(take('a')).toBeDefined();
  expect(evicted).toEqual(['a']);
});
