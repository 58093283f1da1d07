import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const to = { destination: { host: 'reviews' } };
const route = [to];

/** A VirtualService whose only rule has these members. */
function rule(members: object): object {
  return { hosts: ['reviews'], http: [{ route, ...members }] };
}

const actions: readonly Case[] = [
  ['a rule that leads nowhere', { hosts: ['a'], http: [{}] }, 'error XEB0203 spec.http[0]'],
  ['an empty route', { hosts: ['a'], http: [{ route: [] }] }, 'error XEB0203 spec.http[0]'],
  ['a redirect', { hosts: ['a'], http: [{ redirect: { uri: '/b' } }] }],
  ['a redirect of the scheme', { hosts: ['a'], http: [{ redirect: { scheme: 'https' } }] }],
  ['a redirect of the port', { hosts: ['a'], http: [{ redirect: { port: 8443 } }] }],
  ['a redirect that derives the port', { hosts: ['a'], http: [{ redirect: { derivePort: 'FROM_REQUEST_PORT' } }] }],
  [
    'a redirect that changes nothing',
    { hosts: ['a'], http: [{ redirect: {} }] },
    'error XEB0209 spec.http[0].redirect',
  ],
  ['redirect and route', rule({ redirect: { uri: '/b' } }), 'error XEB0204 spec.http[0].route'],
  [
    'redirect and fault and rewrite',
    {
      hosts: ['a'],
      http: [{ redirect: { uri: '/b' }, fault: { delay: { fixedDelay: '1s' } }, rewrite: { uri: '/c' } }],
    },
    'error XEB0204 spec.http[0].fault',
    'error XEB0204 spec.http[0].rewrite',
  ],
  [
    'redirect and websocketUpgrade',
    { hosts: ['a'], http: [{ redirect: { uri: '/b' }, websocketUpgrade: true }] },
    'warning XEB0118 spec.http[0].websocketUpgrade',
  ],
  [
    'a redirect code that is none',
    { hosts: ['a'], http: [{ redirect: { uri: '/b', redirectCode: 200 } }] },
    'error XEB0209 spec.http[0].redirect.redirectCode',
  ],
  ['a redirect code', { hosts: ['a'], http: [{ redirect: { uri: '/b', redirectCode: 308 } }] }],
  [
    'a redirect code that Envoy lacks',
    { hosts: ['a'], http: [{ redirect: { uri: '/b', redirectCode: 304 } }] },
    'warning XEB0209 spec.http[0].redirect.redirectCode',
  ],
  [
    'a redirect to another scheme',
    { hosts: ['a'], http: [{ redirect: { scheme: 'ftp' } }] },
    'error XEB0209 spec.http[0].redirect.scheme',
  ],
  [
    'a redirect to no port',
    { hosts: ['a'], http: [{ redirect: { port: 70_000 } }] },
    'error XEB0105 spec.http[0].redirect.port',
  ],
  [
    'two ports of a redirect',
    { hosts: ['a'], http: [{ redirect: { port: 80, derivePort: 'FROM_REQUEST_PORT' } }] },
    'error XEB0005 spec.http[0].redirect.derivePort',
  ],
  ['a direct response', { hosts: ['a'], http: [{ directResponse: { status: 503, body: { string: 'no' } } }] }],
  [
    'a response without status',
    { hosts: ['a'], http: [{ directResponse: {} }] },
    'error XEB0212 spec.http[0].directResponse.status',
  ],
  [
    'a response of 600',
    { hosts: ['a'], http: [{ directResponse: { status: 600 } }] },
    'error XEB0212 spec.http[0].directResponse.status',
  ],
  [
    'a large body',
    { hosts: ['a'], http: [{ directResponse: { status: 200, body: { string: 'x'.repeat(200_000) } } }] },
    'warning XEB0212 spec.http[0].directResponse.body',
  ],
  [
    'a body that is too large',
    { hosts: ['a'], http: [{ directResponse: { status: 200, body: { bytes: 'AAAA'.repeat(400_000) } } }] },
    'error XEB0212 spec.http[0].directResponse.body',
  ],
  [
    'two bodies',
    { hosts: ['a'], http: [{ directResponse: { status: 200, body: { string: 'a', bytes: 'YQ==' } } }] },
    'error XEB0005 spec.http[0].directResponse.body.bytes',
  ],
  ['response and route', rule({ directResponse: { status: 200 } }), 'error XEB0204 spec.http[0].route'],
  ['a rewrite', rule({ rewrite: { uri: '/b', authority: 'c' } })],
  ['a rewrite by expression', rule({ rewrite: { uriRegexRewrite: { match: '/a(.*)', rewrite: '\\1' } } })],
  ['a rewrite of nothing', rule({ rewrite: {} }), 'error XEB0210 spec.http[0].rewrite'],
  [
    'two rewrites',
    rule({ rewrite: { uri: '/b', uriRegexRewrite: { match: 'a', rewrite: 'b' } } }),
    'error XEB0210 spec.http[0].rewrite.uriRegexRewrite',
  ],
  [
    'half a rewrite',
    rule({ rewrite: { uriRegexRewrite: { match: 'a' } } }),
    'error XEB0210 spec.http[0].rewrite.uriRegexRewrite',
  ],
  [
    'a rewrite that RE2 cannot read',
    rule({ rewrite: { uriRegexRewrite: { match: '(?!a)', rewrite: 'b' } } }),
    'error IST0122 spec.http[0].rewrite.uriRegexRewrite.match',
  ],
  ['a mirror', rule({ mirror: { host: 'b' }, mirrorPercentage: { value: 0.01 } })],
  ['mirrors', rule({ mirrors: [{ destination: { host: 'b' }, percentage: { value: 100 } }] })],
  [
    'the old share of a mirror',
    rule({ mirror: { host: 'b' }, mirrorPercent: 100 }),
    'warning IST0002 spec.http[0].mirrorPercent',
  ],
  [
    'too large a share of a mirror',
    rule({ mirror: { host: 'b' }, mirrorPercent: 101 }),
    'error XEB0110 spec.http[0].mirrorPercent',
    'warning IST0002 spec.http[0].mirrorPercent',
  ],
  ['a negative share', rule({ mirrorPercentage: { value: -1 } }), 'error XEB0110 spec.http[0].mirrorPercentage.value'],
  [
    'mirror and mirrors',
    rule({ mirror: { host: 'b' }, mirrors: [{ destination: { host: 'c' } }] }),
    'error XEB0204 spec.http[0].mirrors',
  ],
  [
    'bad mirrors',
    rule({ mirrors: [{ destination: { host: '*' }, percentage: { value: 101 } }] }),
    'error XEB0102 spec.http[0].mirrors[0].destination.host',
    'error XEB0110 spec.http[0].mirrors[0].percentage.value',
  ],
  ['a mirror to *', rule({ mirror: { host: '*' } }), 'error XEB0102 spec.http[0].mirror.host'],
];

const destinations: readonly Case[] = [
  ['a subset and a port', rule({ route: [{ destination: { host: 'a', subset: 'v1', port: { number: 80 } } }] })],
  [
    'a bad subset',
    rule({ route: [{ destination: { host: 'a', subset: 'v_1' } }] }),
    'error XEB0103 spec.http[0].route[0].destination.subset',
  ],
  [
    'a bad port',
    rule({ route: [{ destination: { host: 'a', port: { number: 70_000 } } }] }),
    'error XEB0105 spec.http[0].route[0].destination.port.number',
  ],
  ['port 0', rule({ route: [{ destination: { host: 'a', port: { number: 0 } } }] })],
  [
    'a destination of *',
    rule({ route: [{ destination: { host: '*' } }] }),
    'error XEB0102 spec.http[0].route[0].destination.host',
  ],
  [
    'a bad destination',
    rule({ route: [{ destination: { host: '-a' } }] }),
    'error XEB0101 spec.http[0].route[0].destination.host',
  ],
  ['no destination', rule({ route: [{ weight: 1 }] }), 'error XEB0002 spec.http[0].route[0].destination'],
  ['one weight of any size', rule({ route: [{ ...to, weight: 7 }] })],
  [
    'weights of 100',
    rule({
      route: [
        { ...to, weight: 75 },
        { ...to, weight: 25 },
      ],
    }),
  ],
  [
    'weights that are shares',
    rule({
      route: [
        { ...to, weight: 3 },
        { ...to, weight: 1 },
      ],
    }),
  ],
  [
    'weights that look like percents and are none',
    rule({
      route: [
        { ...to, weight: 90 },
        { ...to, weight: 20 },
      ],
    }),
    'warning XEB0206 spec.http[0].route',
  ],
  [
    'weights in thousandths',
    rule({
      route: [
        { ...to, weight: 999 },
        { ...to, weight: 1 },
      ],
    }),
  ],
  ['a negative weight', rule({ route: [{ ...to, weight: -1 }] }), 'error XEB0206 spec.http[0].route[0].weight'],
  ['weights of 0', rule({ route: [to, to] }), 'error XEB0206 spec.http[0].route'],
];

describe.each([
  ['actions', actions],
  ['destinations', destinations],
])('VirtualService: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('VirtualService', spec)).toEqual(issues);
  });
});
