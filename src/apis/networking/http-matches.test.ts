import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const to = { destination: { host: 'reviews' } };
const route = [to];

/** A VirtualService whose only rule has these members. */
function rule(members: object): object {
  return { hosts: ['reviews'], http: [{ route, ...members }] };
}

/** A VirtualService whose only rule matches this. */
function matching(match: object, members: object = {}): object {
  return { ...rule({ match: [match] }), ...members };
}

const gateways = { gateways: ['istio-system/ingress'] };

const headers: readonly Case[] = [
  [
    'header operations',
    rule({
      headers: {
        request: { set: { 'x-a': '%START_TIME(%Y)%' }, remove: ['x-b'] },
        response: { add: { 'x-c': '100%%' } },
      },
    }),
  ],
  ['the authority of a request', rule({ headers: { request: { set: { Host: 'a' } } } })],
  [
    'an empty name',
    rule({ headers: { request: { add: { '': 'a' } } } }),
    'error XEB0113 spec.http[0].headers.request.add[""]',
  ],
  [
    'Envoy’s own header',
    rule({ headers: { request: { set: { ':path': 'a' } } } }),
    'error XEB0113 spec.http[0].headers.request.set[":path"]',
  ],
  [
    'the authority of a response',
    rule({ headers: { response: { set: { host: 'a' } } } }),
    'error XEB0113 spec.http[0].headers.response.set.host',
  ],
  [
    'removing the authority',
    rule({ headers: { request: { remove: ['host'] } } }),
    'error XEB0113 spec.http[0].headers.request.remove[0]',
  ],
  [
    'a lone percent sign',
    rule({ headers: { request: { set: { a: '50%' } } } }),
    'error XEB0114 spec.http[0].headers.request.set.a',
  ],
  [
    'a control character',
    rule({ headers: { request: { set: { a: 'b\nc' } } } }),
    'error XEB0114 spec.http[0].headers.request.set.a',
  ],
  [
    'headers of a destination',
    rule({ route: [{ ...to, headers: { response: { remove: [''] } } }] }),
    'error XEB0113 spec.http[0].route[0].headers.response.remove[0]',
  ],
  [
    'classic headers',
    rule({ appendHeaders: { a: 'b' }, appendRequestHeaders: { a: 'b' }, removeResponseHeaders: ['c'] }),
  ],
  [
    'bad classic headers of every kind',
    rule({ appendRequestHeaders: { a: '%' }, appendResponseHeaders: { '': 'a' }, removeResponseHeaders: [':status'] }),
    'error XEB0114 spec.http[0].appendRequestHeaders.a',
    'error XEB0113 spec.http[0].appendResponseHeaders[""]',
    'error XEB0113 spec.http[0].removeResponseHeaders[0]',
  ],
  ['a bad classic header', rule({ appendHeaders: { '': 'b' } }), 'error XEB0113 spec.http[0].appendHeaders[""]'],
  [
    'a bad classic header of a destination',
    rule({ route: [{ ...to, removeRequestHeaders: [''] }] }),
    'error XEB0113 spec.http[0].route[0].removeRequestHeaders[0]',
  ],
  [
    'the authority twice',
    rule({ rewrite: { authority: 'a' }, headers: { request: { set: { ':authority': 'b' } } } }),
    'warning XEB0214 spec.http[0]',
  ],
];

const matches: readonly Case[] = [
  [
    'everything that can be matched',
    matching({
      name: 'm',
      uri: { prefix: '' },
      scheme: { exact: 'https' },
      method: { exact: 'GET' },
      authority: { regex: 'a.*' },
      headers: { 'x-a': {}, 'x-b': { regex: '*' } },
      withoutHeaders: { 'x-c': { prefix: 'a' } },
      queryParams: { q: { exact: '1' } },
      ignoreUriCase: true,
      port: 80,
      sourceLabels: { app: 'a' },
      sourceNamespace: 'ns',
      gateways: ['mesh'],
      statPrefix: 's',
    }),
  ],
  [
    'two kinds of match',
    matching({ uri: { exact: '/a', prefix: '/b' } }),
    'error XEB0005 spec.http[0].match[0].uri.prefix',
  ],
  ['a look-ahead', matching({ uri: { regex: '/a(?=b)' } }), 'error IST0122 spec.http[0].match[0].uri.regex'],
  [
    'an expression of 1025',
    matching({ uri: { regex: 'a'.repeat(1025) } }),
    'error IST0122 spec.http[0].match[0].uri.regex',
  ],
  ['an expression of 1024', matching({ uri: { regex: 'a'.repeat(1024) } })],
  ['an expression that nests', matching({ uri: { regex: '('.repeat(512) + ')'.repeat(512) } })],
  [
    'an expression that repeats too much',
    matching({ uri: { regex: `(${'a'.repeat(99)}){999}` } }),
    'error IST0122 spec.http[0].match[0].uri.regex',
  ],
  [
    'more expressions than can be read',
    {
      hosts: ['reviews'],
      http: Array.from({ length: 40 }, (_, index) => ({
        route,
        match: [
          { uri: { regex: `${index}(ab){800}[a-z]{900}.{900}[0-9]{900}[A-Z]{900}.{900}${'(ab){999}'.repeat(5)}` } },
        ],
      })),
    },
    'error IST0122 spec.http[36].match[0].uri.regex',
    'error IST0122 spec.http[37].match[0].uri.regex',
    'error IST0122 spec.http[38].match[0].uri.regex',
    'error IST0122 spec.http[39].match[0].uri.regex',
  ],
  ['an empty expression', matching({ uri: { regex: '' } }), 'error XEB0120 spec.http[0].match[0].uri.regex'],
  ['* as an expression', matching({ uri: { regex: '*' } }), 'error IST0122 spec.http[0].match[0].uri.regex'],
  [
    'an empty prefix of a header',
    matching({ headers: { a: { prefix: '' } } }),
    'error XEB0120 spec.http[0].match[0].headers.a.prefix',
  ],
  [
    'an empty prefix of a method',
    matching({ method: { prefix: '' } }),
    'error XEB0120 spec.http[0].match[0].method.prefix',
  ],
  [
    'an empty prefix of scheme and authority',
    matching({ scheme: { prefix: '' }, authority: { prefix: '' } }),
    'error XEB0120 spec.http[0].match[0].scheme.prefix',
    'error XEB0120 spec.http[0].match[0].authority.prefix',
  ],
  [
    'a bad expression of a parameter',
    matching({ queryParams: { q: { regex: '[' } } }),
    'error IST0122 spec.http[0].match[0].queryParams.q.regex',
  ],
  ['a header without a name', matching({ headers: { '': {} } }), 'error XEB0113 spec.http[0].match[0].headers[""]'],
  [
    'a header that cannot be',
    matching({ withoutHeaders: { ':path': {} } }),
    'warning XEB0113 spec.http[0].match[0].withoutHeaders[":path"]',
  ],
  ['null as a header match', matching({ headers: { a: null } }), 'error XEB0001 spec.http[0].match[0].headers.a'],
  ['a bad port', matching({ port: 65_536 }), 'error XEB0105 spec.http[0].match[0].port'],
  ['bad labels', matching({ sourceLabels: { '-': 'a' } }), 'error XEB0104 spec.http[0].match[0].sourceLabels["-"]'],
  ['a bad gateway', matching({ gateways: ['a/'] }), 'error XEB0112 spec.http[0].match[0].gateways[0]'],
  ['a bad namespace', matching({ sourceNamespace: 'a.b' }), 'error XEB0103 spec.http[0].match[0].sourceNamespace'],
  ['a claim at a gateway', matching({ headers: { '@request.auth.claims.sub': { exact: 'a' } } }, gateways)],
  ['a claim in a claim', matching({ headers: { '@request.auth.claims[a.b][c]': {} } }, gateways)],
  [
    'a claim without a name',
    matching({ withoutHeaders: { '@request.auth.claims[a': {} } }, gateways),
    'warning XEB0113 spec.http[0].match[0].withoutHeaders["@request.auth.claims[a"]',
  ],
  [
    'a claim for sidecars',
    matching({ headers: { '@request.auth.claims[sub]': { exact: 'a' } } }),
    'error XEB0215 spec.http[0].match[0].headers["@request.auth.claims[sub]"]',
  ],
];

describe.each([
  ['headers', headers],
  ['matches', matches],
])('VirtualService: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('VirtualService', spec)).toEqual(issues);
  });
});
