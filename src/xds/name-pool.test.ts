import { describe, expect, it } from 'vitest';
import { NamePool, noNames } from './name-pool.ts';

const many = Array.from({ length: 100 }, (_, at) => `outbound|80||service-${at}.default.svc.cluster.local`);
const none: ReadonlySet<string> = new Set();

describe('NamePool', () => {
  it('gives the same set for the same names, whatever the order and the way there', () => {
    const pool = new NamePool();
    const whole = pool.change(noNames, many, none);
    const piecemeal = pool.change(
      pool.change(noNames, many.slice(50).toReversed(), none),
      [...many.slice(0, 50), 'extra'],
      none,
    );
    expect(piecemeal).not.toBe(whole);
    expect(pool.change(piecemeal, [], new Set(['extra']))).toBe(whole);
  });

  it('gives the set itself when nothing changes', () => {
    const pool = new NamePool();
    const set = pool.change(noNames, many, none);
    expect(pool.change(set, many.slice(3, 9), new Set(['unknown']))).toBe(set);
  });

  it('does not change a set that was given', () => {
    const pool = new NamePool();
    const set = pool.change(noNames, many, none);
    pool.change(set, ['more'], new Set(many.slice(0, 10)));
    expect([...set]).toEqual(many);
  });

  it('drops a name that is both added and taken away', () => {
    expect(new NamePool().change(noNames, ['a'], new Set(['a']))).toBe(noNames);
  });
});
