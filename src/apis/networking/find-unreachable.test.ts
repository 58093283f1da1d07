import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const to = { destination: { host: 'reviews' } };
const route = [to];

const prefix = (text: string): object => ({ uri: { prefix: text } });

function rules(...list: readonly object[]): object {
  return { hosts: ['a'], http: list.map((members) => ({ route, ...members })) };
}

const reach: readonly Case[] = [
  ['rules in good order', rules({ match: [prefix('/a/b')] }, { match: [prefix('/a')] }, {})],
  ['a rule behind one that matches all', rules({}, { match: [prefix('/a')] }), 'warning IST0130 spec.http[1]'],
  ['two rules that match all', rules({}, {}), 'warning IST0130 spec.http[1]'],
  [
    'a prefix behind a shorter one',
    rules({ match: [prefix('/a')] }, { match: [prefix('/a/b')] }),
    'warning IST0130 spec.http[1]',
  ],
  [
    '/ matches every path',
    rules({ match: [prefix('/')] }, { match: [{ method: { exact: 'GET' } }] }),
    'warning IST0130 spec.http[1]',
  ],
  [
    'one of two matches',
    rules({ match: [prefix('/a')] }, { match: [prefix('/a/b'), prefix('/c')] }),
    'warning IST0131 spec.http[1].match[0]',
  ],
  ['a match within one rule', rules({ match: [prefix('/a'), prefix('/a')] }), 'warning IST0131 spec.http[0].match[1]'],
  [
    'a header more',
    rules({ match: [prefix('/a')] }, { match: [{ ...prefix('/a'), headers: { b: { exact: 'c' } } }] }),
    'warning IST0130 spec.http[1]',
  ],
  ['a header less', rules({ match: [{ ...prefix('/a'), headers: { b: { exact: 'c' } } }] }, { match: [prefix('/a')] })],
  ['another port', rules({ match: [{ port: 80 }] }, { match: [{ port: 81 }] })],
  ['case that matters', rules({ match: [prefix('/a')] }, { match: [{ ...prefix('/a'), ignoreUriCase: true }] })],
  [
    'case that does not',
    rules({ match: [{ ...prefix('/A'), ignoreUriCase: true }] }, { match: [prefix('/a')] }),
    'warning IST0130 spec.http[1]',
  ],
  [
    'more that must be absent',
    rules(
      { match: [{ withoutHeaders: { a: { exact: 'b' } } }] },
      { match: [{ withoutHeaders: { a: { prefix: 'b' } } }] },
    ),
    'warning IST0130 spec.http[1]',
  ],
  [
    'less that must be absent',
    rules(
      { match: [{ withoutHeaders: { a: { prefix: 'b' } } }] },
      { match: [{ withoutHeaders: { a: { exact: 'b' } } }] },
    ),
  ],
  [
    'fewer labels',
    rules({ match: [{ sourceLabels: { a: 'b' } }] }, { match: [{ sourceLabels: { a: 'b', c: 'd' } }] }),
    'warning IST0130 spec.http[1]',
  ],
  [
    'a key that every object has',
    rules({ match: [{ headers: { constructor: { exact: 'a' } } }] }, { match: [{ headers: { b: {} } }] }),
  ],
  ['tcp', { hosts: ['a'], tcp: [{ route }, { match: [{ port: 1 }], route }] }, 'warning IST0130 spec.tcp[1]'],
  [
    'tls',
    {
      hosts: ['*.a'],
      tls: [
        { match: [{ sniHosts: ['*.a'] }], route },
        { match: [{ sniHosts: ['b.a'] }], route },
      ],
    },
    'warning IST0130 spec.tls[1]',
  ],
];

describe.each([['what is never reached', reach]])('VirtualService: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('VirtualService', spec)).toEqual(issues);
  });
});
