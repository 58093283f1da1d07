import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareSpecificity,
  completeHost,
  hostMatches,
  hostSubsetOf,
  isPartialWildcard,
  parseHostname,
} from './host.ts';

/** Few labels, so that hosts meet. */
const label = fc.constantFrom('a', 'b', 'ab');
const exact = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const wildcard = fc.oneof(
  fc.constant('*'),
  exact.map((host) => `*.${host}`),
  exact.map((host) => `*${host}`),
);
const host = fc.oneof(exact, wildcard);

describe('hostMatches', () => {
  it.each([
    ['a.com', 'a.com', true],
    ['a.com', 'b.com', false],
    ['*.a.com', 'b.a.com', true],
    ['*.a.com', 'c.b.a.com', true],
    ['*.a.com', 'a.com', false],
    ['*', 'a.com', true],
    ['*', '*.a.com', true],
    ['*.a.com', '*.b.a.com', true],
    ['*.a.com', '*.b.com', false],
    ['*a.com', 'ba.com', true],
  ])('%s and %s: %s', (a, b, matches) => {
    expect(hostMatches(a, b)).toBe(matches);
  });

  it('is symmetric, and true of every host and itself', () => {
    fc.assert(
      fc.property(host, host, (a, b) => {
        expect(hostMatches(a, b)).toBe(hostMatches(b, a));
        expect(hostMatches(a, a)).toBe(true);
      }),
    );
  });

  it('means that some exact host is covered by both', () => {
    fc.assert(
      fc.property(host, host, exact, (a, b, name) => {
        if (hostSubsetOf(name, a) && hostSubsetOf(name, b)) expect(hostMatches(a, b)).toBe(true);
      }),
    );
  });
});

describe('hostSubsetOf', () => {
  it.each([
    ['a.com', 'a.com', true],
    ['b.a.com', '*.a.com', true],
    ['a.com', '*.a.com', false],
    ['*.a.com', 'b.a.com', false],
    ['*.b.a.com', '*.a.com', true],
    ['*.a.com', '*.b.a.com', false],
    ['*.a.com', '*', true],
    ['*', '*.a.com', false],
    ['*', '*', true],
  ])('%s within %s: %s', (narrow, wide, subset) => {
    expect(hostSubsetOf(narrow, wide)).toBe(subset);
  });

  it('implies a match, is transitive, and holds both ways only for the same host', () => {
    fc.assert(
      fc.property(host, host, host, (a, b, c) => {
        if (hostSubsetOf(a, b)) expect(hostMatches(a, b)).toBe(true);
        if (hostSubsetOf(a, b) && hostSubsetOf(b, c)) expect(hostSubsetOf(a, c)).toBe(true);
        if (hostSubsetOf(a, b) && hostSubsetOf(b, a)) expect(a).toBe(b);
      }),
    );
  });

  it('is a match for exact hosts', () => {
    fc.assert(
      fc.property(exact, host, (a, b) => {
        expect(hostSubsetOf(a, b)).toBe(hostMatches(a, b));
      }),
    );
  });
});

describe('compareSpecificity', () => {
  it('puts exact before wildcard, long before short, then by name', () => {
    expect(['*', 'b.com', '*.a.com', 'a.com', '*.b.a.com', 'c.b.com'].sort(compareSpecificity)).toEqual([
      'c.b.com',
      'a.com',
      'b.com',
      '*.b.a.com',
      '*.a.com',
      '*',
    ]);
  });

  it('puts a host before whatever covers it', () => {
    fc.assert(
      fc.property(host, host, (a, b) => {
        if (a !== b && hostSubsetOf(a, b)) expect(compareSpecificity(a, b)).toBeLessThan(0);
      }),
    );
  });
});

describe('parseHostname', () => {
  it('gives lower case without a trailing dot', () => {
    expect(parseHostname('*.Example.COM.')).toEqual({ ok: true, value: '*.example.com' });
  });

  it.each(['', 'a b', 'a.*', '-a'])('refuses %j', (text) => {
    expect(parseHostname(text)).toMatchObject({ ok: false });
  });
});

describe('completeHost', () => {
  it.each([
    ['reviews', 'reviews.shop.svc.cluster.local'],
    ['reviews.other', 'reviews.other'],
    ['a.com', 'a.com'],
    ['*', '*'],
  ])('%s becomes %s', (short, complete) => {
    expect(completeHost(short, 'shop', 'cluster.local')).toBe(complete);
  });
});

describe('isPartialWildcard', () => {
  it.each([
    ['*', false],
    ['*.a.com', false],
    ['*a.com', true],
    ['a.com', false],
  ])('%s: %s', (text, partial) => {
    expect(isPartialWildcard(text)).toBe(partial);
  });
});
