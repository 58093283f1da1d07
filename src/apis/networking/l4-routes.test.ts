import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const to = { destination: { host: 'reviews' } };
const route = [to];

const l4: readonly Case[] = [
  [
    'tcp',
    { hosts: ['a'], tcp: [{ match: [{ destinationSubnets: ['10.0.0.0/8', '2001:db8::/32'], port: 27_017 }], route }] },
  ],
  ['tcp without route', { hosts: ['a'], tcp: [{}] }, 'error XEB0203 spec.tcp[0]'],
  [
    'a bad subnet',
    { hosts: ['a'], tcp: [{ match: [{ destinationSubnets: ['10.0.0.0/33'] }], route }] },
    'error XEB0106 spec.tcp[0].match[0].destinationSubnets[0]',
  ],
  [
    'a bad source',
    { hosts: ['a'], tcp: [{ match: [{ sourceSubnet: 'a' }], route }] },
    'error XEB0106 spec.tcp[0].match[0].sourceSubnet',
  ],
  [
    'a bad tcp port',
    { hosts: ['a'], tcp: [{ match: [{ port: 65_536 }], route }] },
    'error XEB0105 spec.tcp[0].match[0].port',
  ],
  [
    'bad labels and gateways',
    { hosts: ['a'], tcp: [{ match: [{ sourceLabels: { '-': 'a' }, gateways: ['a/'] }], route }] },
    'error XEB0104 spec.tcp[0].match[0].sourceLabels["-"]',
    'error XEB0112 spec.tcp[0].match[0].gateways[0]',
  ],
  [
    'a bad tls match and route',
    {
      hosts: ['a.com'],
      tls: [
        {
          match: [{ sniHosts: ['a.com'], destinationSubnets: ['a'], port: 65_536 }],
          route: [{ destination: { host: '*' } }],
        },
      ],
    },
    'error XEB0106 spec.tls[0].match[0].destinationSubnets[0]',
    'error XEB0105 spec.tls[0].match[0].port',
    'error XEB0102 spec.tls[0].route[0].destination.host',
  ],
  ['a bad tcp weight', { hosts: ['a'], tcp: [{ route: [to, to] }] }, 'error XEB0206 spec.tcp[0].route'],
  [
    'tls',
    { hosts: ['*.a.com'], tls: [{ match: [{ sniHosts: ['b.a.com', '*.c.a.com'], sourceSubnet: 'anything' }], route }] },
  ],
  ['tls without match', { hosts: ['a.com'], tls: [{ route }] }, 'error XEB0213 spec.tls[0]'],
  ['tls without route', { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['a.com'] }] }] }, 'error XEB0203 spec.tls[0]'],
  [
    'tls without server name',
    { hosts: ['a.com'], tls: [{ match: [{}], route }] },
    'error XEB0213 spec.tls[0].match[0]',
  ],
  [
    'a foreign server name',
    { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['b.com'] }], route }] },
    'error XEB0213 spec.tls[0].match[0].sniHosts[0]',
  ],
  [
    'a server name that is wider',
    { hosts: ['b.a.com'], tls: [{ match: [{ sniHosts: ['*.a.com'] }], route }] },
    'error XEB0213 spec.tls[0].match[0].sniHosts[0]',
  ],
  [
    'an address as server name',
    { hosts: ['10.0.0.1'], tls: [{ match: [{ sniHosts: ['10.0.0.1'] }], route }] },
    'warning XEB0213 spec.tls[0].match[0].sniHosts[0]',
  ],
  [
    'a bad server name',
    { hosts: ['a.com'], tls: [{ match: [{ sniHosts: ['a_b'] }], route }] },
    'error XEB0101 spec.tls[0].match[0].sniHosts[0]',
  ],
  [
    'the server name of a cluster, at a gateway',
    {
      hosts: ['outbound_.80_._.a.b'],
      gateways: ['a/b'],
      tls: [{ match: [{ sniHosts: ['outbound_.80_._.a.b'] }], route }],
    },
  ],
];

describe.each([['tcp and tls', l4]])('VirtualService: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('VirtualService', spec)).toEqual(issues);
  });
});
