import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import type { StringMatcher } from '../../../gen/types.ts';
import { complementRegex } from './header.ts';
import { hostRegex } from './host.ts';
import type { MatchNode } from './node.ts';
import { matchesPattern, type Pattern, parsePattern } from './pattern.ts';
import type { AccessQuestion } from './plan.ts';
import { buildTest } from './question.ts';
import { stanceOf } from './stance.ts';

const place = { object: { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'x' }, path: 'spec' };

function stringMatches({ exact, prefix, suffix, safeRegex }: StringMatcher, text: string): boolean {
  if (exact !== undefined) return text === exact;
  if (prefix !== undefined) return text.startsWith(prefix);
  if (suffix !== undefined) return text.endsWith(suffix);
  return RE2JS.compile(safeRegex?.regex ?? '').matches(text);
}

/** What Envoy would say of a peer, for nodes about peers only. */
function peerMatches(node: MatchNode, peer: string): boolean {
  switch (node.kind) {
    case 'all':
      return node.nodes.every((inner) => peerMatches(inner, peer));
    case 'any':
      return node.nodes.some((inner) => peerMatches(inner, peer));
    case 'not':
      return !peerMatches(node.node, peer);
    case 'peer':
      return stringMatches(node.matcher, peer);
    default:
      throw new Error(node.kind);
  }
}

function asks(question: AccessQuestion, peer: string): boolean {
  return peerMatches(buildTest({ isNegated: false, place, ...question }, 'ALLOW'), peer);
}

/** Names that mean something to regular expressions, close to each other. */
const name = fc.string({
  unit: fc.constantFrom('a', 'b', '.', '[', '*', '+', '(', '|', '\\', '$', '-'),
  minLength: 1,
  maxLength: 4,
});

describe('matchers of identities', () => {
  it('S9b: accept exactly who is meant, whatever is in the names (2026-003)', () => {
    fc.assert(
      fc.property(name, name, name, name, (namespace, account, otherNamespace, otherAccount) => {
        const peer = `spiffe://cluster.local/ns/${otherNamespace}/sa/${otherAccount}`;
        const isSame = namespace === otherNamespace && account === otherAccount;
        expect(asks({ about: 'service-account', values: [{ namespace, name: account }] }, peer)).toBe(isSame);
        const exact: Pattern = { kind: 'exact', text: namespace };
        expect(asks({ about: 'namespace', values: [exact] }, peer)).toBe(namespace === otherNamespace);
        const prefix: Pattern = { kind: 'prefix', text: namespace };
        expect(asks({ about: 'namespace', values: [prefix] }, peer)).toBe(otherNamespace.startsWith(namespace));
        const suffix: Pattern = { kind: 'suffix', text: `${namespace}/sa/${account}` };
        expect(asks({ about: 'principal', values: [suffix] }, peer)).toBe(peer.endsWith(suffix.text));
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('matchers of headers', () => {
  it('find every value that is not of the pattern, and no other', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ']', '^', '.', '\n', 'é'), maxLength: 5 });
    const kind = fc.constantFrom('exact', 'prefix', 'suffix');
    fc.assert(
      fc.property(kind, text, text, (of, wanted, value) => {
        const pattern = { kind: of, text: wanted } as const;
        const expression = complementRegex(pattern);
        if (wanted === '') expect(expression).toBeUndefined();
        else expect(RE2JS.compile(expression ?? '').matches(value)).toBe(!matchesPattern(pattern, value));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('matchers of hosts', () => {
  const matches = (value: string, host: string, stance: 'wide' | 'strict'): boolean => {
    const pattern = parsePattern(value);
    if (pattern.kind === 'present') throw new Error('no text');
    return RE2JS.compile(hostRegex(pattern, stance)).matches(host);
  };

  it.each([
    ['a.example', 'A.EXAMPLE', 'both'],
    ['a.example', 'a.example:80', 'both'],
    ['a.example', 'a.example.', 'both'],
    ['a.example', 'u@a.example', 'wide'],
    ['a.example', 'a.example,b.example', 'wide'],
    ['a.example', 'a.example:x', 'wide'],
    ['a.example', 'axexample', 'none'],
    ['a.example', 'b.a.example', 'none'],
    ['a.example:80', 'a.example', 'none'],
    ['a.example:80', 'a.example:80', 'both'],
    ['*.example', 'a.example:80', 'both'],
    ['*.example', 'a.example@b.test', 'none'],
    ['a.*', 'a.example:80', 'both'],
    ['a.*', 'a.b@c.test', 'wide'],
    ['[::1]', '[::1]:80', 'both'],
    ['bücher.example', 'xn--bcher-kva.example', 'both'],
  ])('%s and %s: %s', (value, host, stances) => {
    expect([matches(value, host, 'strict'), matches(value, host, 'wide')]).toEqual([
      stances === 'both',
      stances === 'both' || stances === 'wide',
    ]);
  });
});

describe('stances', () => {
  it('what refuses matches in doubt, and what lets in does not', () => {
    expect([stanceOf('DENY', false), stanceOf('CUSTOM', false), stanceOf('ALLOW', true)]).toEqual([
      'wide',
      'wide',
      'wide',
    ]);
    expect([stanceOf('ALLOW', false), stanceOf('AUDIT', false), stanceOf('DENY', true)]).toEqual([
      'strict',
      'strict',
      'strict',
    ]);
  });
});
