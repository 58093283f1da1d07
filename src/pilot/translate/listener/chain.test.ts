import { describe, expect, it } from 'vitest';
import { type ChainDraft, type ChainMatch, mergeChains, serverNamesOf, takesAll } from './chain.ts';

function draft(match: ChainMatch, name: string): ChainDraft {
  const object = { kind: 'ServiceEntry', namespace: 'default', name };
  return { name, match, filters: [], needs: [], origins: [], place: { object, path: 'spec' } };
}

function merged(...matches: readonly ChainMatch[]) {
  const { chains, diagnostics } = mergeChains(matches.map((match, index) => draft(match, `e${index}`)));
  return { matches: chains.map(({ match }) => match), told: diagnostics.map(({ object }) => object?.name) };
}

describe('of two chains for the same connections', () => {
  it.each<[string, readonly ChainMatch[], readonly ChainMatch[], string[]]>([
    ['the later is dropped', [{}, {}], [{}], ['e1']],
    [
      'the later keeps its other server names',
      [{ serverNames: ['a'] }, { serverNames: ['a', 'b'] }],
      [{ serverNames: ['a'] }, { serverNames: ['b'] }],
      ['e1'],
    ],
    [
      'the later keeps its other blocks',
      [{ subnets: ['10.0.0.0/8'] }, { subnets: ['10.1.1.1/8', '11.0.0.0/8'] }],
      [{ subnets: ['10.0.0.0/8'] }, { subnets: ['11.0.0.0/8'] }],
      ['e1'],
    ],
    [
      'one address and its /32 are the same',
      [{ subnets: ['10.0.0.1'] }, { subnets: ['10.0.0.1/32'] }],
      [{ subnets: ['10.0.0.1'] }],
      ['e1'],
    ],
    [
      'one protocol in common is enough',
      [{ protocols: ['http/1.1', 'h2c'] }, { protocols: ['h2c'] }],
      [{ protocols: ['http/1.1', 'h2c'] }],
      ['e1'],
    ],
  ])('%s', (_, given, left, told) => {
    expect(merged(...given)).toEqual({ matches: left, told });
  });

  it.each<[string, readonly ChainMatch[]]>([
    ['a name and any name', [{ serverNames: ['a'] }, {}]],
    ['a name and its wildcard', [{ serverNames: ['a.b'] }, { serverNames: ['*.b'] }]],
    ['a block inside a block', [{ subnets: ['10.0.0.0/8'] }, { subnets: ['10.1.0.0/16'] }]],
    ['a name here and there', [{ serverNames: ['a'], subnets: ['10.0.0.0/8'] }, { serverNames: ['a'] }]],
    ['transports', [{ transport: 'tls' }, { transport: 'raw_buffer' }]],
    ['ports', [{ destinationPort: 1 }, { destinationPort: 2 }]],
  ])('%s are not the same', (_, given) => {
    expect(merged(...given)).toEqual({ matches: given, told: [] });
  });
});

it('only a match that asks nothing takes all', () => {
  expect(takesAll({})).toBe(true);
  expect(takesAll({ serverNames: [], subnets: [], protocols: [] })).toBe(true);
  expect([{ serverNames: ['a'] }, { transport: 'tls' as const }, { destinationPort: 1 }].some(takesAll)).toBe(false);
});

it('server names are lower case; a star alone asks for none, other partial wildcards are none', () => {
  expect(serverNamesOf(['A.b', 'a.b', '*.C'])).toEqual({ names: ['a.b', '*.c'], unusable: [] });
  expect(serverNamesOf(['a.b', '*'])).toEqual({ names: [], unusable: [] });
  expect(serverNamesOf(['*b.c', 'a.b'])).toEqual({ names: ['a.b'], unusable: ['*b.c'] });
});
