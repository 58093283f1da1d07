import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millisOf, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['1.5s', 1500],
    ['0s', 0],
    ['0', 0],
    ['100ms', 100],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['1h0m0.5s', 3_600_500],
    ['.5s', 500],
    ['1.s', 1000],
    ['+2s', 2000],
    ['-2s', -2000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1ns', 0.000001],
    ['0.1s', 100],
    ['0.000000001s', 0.000001],
    ['315576000000s', 315_576_000_000_000],
  ])('%s is %d ms', (text, millis) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: millis });
  });

  it.each([
    '',
    's',
    '5',
    '1',
    '1.5',
    ' 1s',
    '1s ',
    '1S',
    '1d',
    '1s1',
    '--1s',
    '1,5s',
    '1e3s',
    'P1D',
    `${'1'.repeat(70)}s`,
    '315576000001s',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toMatchObject({ ok: false });
  });

  it('reads every number of milliseconds back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (millis) => {
        expect(parseDuration(`${millis / 1000}s`)).toEqual({ ok: true, value: millis });
        expect(parseDuration(`${millis}ms`)).toEqual({ ok: true, value: millis });
      }),
    );
  });

  it('is quick even on what is long and wrong', () => {
    expect(parseDuration('1h'.repeat(100_000))).toMatchObject({ ok: false });
  });
});

describe('millisOf', () => {
  it('takes what a schema has let through', () => {
    expect(millisOf('1m')).toBe(60_000);
  });

  it('throws on anything else, because that is a bug', () => {
    expect(() => millisOf('soon')).toThrow('is not a duration');
  });
});
