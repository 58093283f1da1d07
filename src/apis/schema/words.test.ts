import { describe, expect, it } from 'vitest';
import { enumerate, nearest, quote, describe as say } from './words.ts';

describe('describe', () => {
  it.each([
    [undefined, 'nothing'],
    [null, 'null'],
    ['a', 'text "a"'],
    [1.5, 'number 1.5'],
    [true, 'true'],
    [[], 'an empty list'],
    [[1, 2], 'a list of 2'],
    [{}, 'an empty object'],
    [{ a: 1 }, 'an object'],
  ])('%j is %s', (value, words) => {
    expect(say(value)).toBe(words);
  });

  it('shortens what nobody would read', () => {
    expect(quote('x'.repeat(1000))).toHaveLength(80);
  });
});

describe('nearest', () => {
  const fields = ['hosts', 'gateways', 'http', 'tls', 'tcp', 'exportTo'];

  it.each([
    ['host', 'hosts'],
    ['gatways', 'gateways'],
    ['gatewyas', 'gateways'],
    ['exportto', 'exportTo'],
    ['htpp', 'http'],
    ['subsets', undefined],
    ['zzz', undefined],
    ['gateway', 'gateways'],
    ['exportToNamespaces', 'exportTo'],
    ['gate', 'gateways'],
    ['export', 'exportTo'],
    ['ways', 'gateways'],
    ['ht', undefined],
    ['', undefined],
  ])('%s: %s', (typed, meant) => {
    expect(nearest(typed, fields)).toBe(meant);
  });

  it('is quick for a name of 100,000', () => {
    expect(nearest('x'.repeat(100_000), fields)).toBeUndefined();
  });
});

describe('enumerate', () => {
  it('stays readable', () => {
    expect(enumerate(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
  });
});
