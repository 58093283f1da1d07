import { describe, expect, it } from 'vitest';
import { parsePrincipal } from './principals.ts';

const domains = ['new.example', 'old.example'];

function texts(principal: string, trustDomains: readonly string[] = domains): readonly string[] {
  return parsePrincipal(principal, trustDomains).map((pattern) => {
    if (pattern.kind === 'present') return '*';
    const star = { exact: ['', ''], prefix: ['', '*'], suffix: ['*', ''] }[pattern.kind];
    return star.join(pattern.text);
  });
}

describe('principals of policies', () => {
  it.each([
    ['new.example/ns/a/sa/b', ['new.example/ns/a/sa/b', 'old.example/ns/a/sa/b']],
    ['old.example/ns/a/sa/b', ['old.example/ns/a/sa/b', 'new.example/ns/a/sa/b']],
    ['cluster.local/ns/a/sa/b', ['new.example/ns/a/sa/b', 'old.example/ns/a/sa/b']],
    ['*.example/ns/a/sa/b', ['*.example/ns/a/sa/b']],
    ['*w.example/ns/a/sa/b', ['*w.example/ns/a/sa/b', 'old.example/ns/a/sa/b']],
    ['foreign.example/ns/a/sa/b', ['foreign.example/ns/a/sa/b']],
    ['new.example/ns/a/*', ['new.example/ns/a/*', 'old.example/ns/a/*']],
    ['cluster.local/ns/a/*', ['new.example/ns/a/*', 'old.example/ns/a/*']],
    ['cluster.local/*', ['new.example/*', 'old.example/*']],
    ['new.example/ns/a/sa/*', ['new.example/ns/a/sa/*', 'old.example/ns/a/sa/*']],
    ['*/sa/b', ['*/sa/b']],
    ['*', ['*']],
    ['spiffe://foreign.example/ns/a/sa/b', ['foreign.example/ns/a/sa/b']],
  ])('%s is %s', (principal, expected) => {
    expect(texts(principal)).toEqual(expected);
  });

  it('keeps cluster.local where the mesh is called so', () => {
    expect(texts('cluster.local/ns/a/sa/b', ['cluster.local'])).toEqual(['cluster.local/ns/a/sa/b']);
  });
});
