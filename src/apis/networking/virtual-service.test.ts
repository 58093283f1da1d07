import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const to = { destination: { host: 'reviews' } };
const route = [to];

/** A VirtualService of one host with these members. */
function service(members: object): object {
  return { hosts: ['reviews.shop.svc.cluster.local'], http: [{ route }], ...members };
}

/** A VirtualService whose only rule has these members. */
function rule(members: object): object {
  return { hosts: ['reviews'], http: [{ route, ...members }] };
}

const gateways = { gateways: ['istio-system/ingress'] };

const top: readonly Case[] = [
  ['a short host', rule({})],
  ['a complete host', service({})],
  ['an IP address as host', service({ hosts: ['10.1.2.3'] })],
  ['an IPv6 address as host', service({ hosts: ['2001:db8::1'] })],
  ['a wildcard host', service({ hosts: ['*.example.com'] })],
  ['a trailing dot', service({ hosts: ['example.com.'] })],
  ['* at a gateway', service({ hosts: ['*'], ...gateways })],
  ['* for sidecars', service({ hosts: ['*'] }), 'error XEB0102 spec.hosts[0]'],
  ['* for sidecars and a gateway', service({ hosts: ['*'], gateways: ['mesh', 'a/b'] }), 'error XEB0102 spec.hosts[0]'],
  ['a host with a bad character', service({ hosts: ['a_b.com'] }), 'error XEB0101 spec.hosts[0]'],
  ['a wildcard in the middle', service({ hosts: ['a.*.com'] }), 'error XEB0101 spec.hosts[0]'],
  ['a host that ends in digits', service({ hosts: ['example.123'] }), 'error XEB0101 spec.hosts[0]'],
  ['a label of 64', service({ hosts: [`${'a'.repeat(64)}.com`] }), 'error XEB0101 spec.hosts[0]'],
  ['a host of 256', service({ hosts: [`${'a.'.repeat(127)}com`] }), 'error XEB0101 spec.hosts[0]'],
  ['an empty host', service({ hosts: [''] }), 'error XEB0101 spec.hosts[0]'],
  ['the same host twice', service({ hosts: ['a.com', 'a.com'] }), 'error XEB0201 spec.hosts[1]'],
  ['the same host in capitals', service({ hosts: ['a.com', 'A.com'] }), 'warning XEB0201 spec.hosts[1]'],
  ['a host under a wildcard', service({ hosts: ['*.a.com', 'b.a.com'] }), 'error XEB0201 spec.hosts[1]'],
  ['a wildcard over a host', service({ hosts: ['b.a.com', '*.a.com'] }), 'error XEB0201 spec.hosts[1]'],
  ['a wildcard over a wildcard', service({ hosts: ['*.b.a.com', '*.a.com'] }), 'error XEB0201 spec.hosts[1]'],
  ['a wildcard beside its parent', service({ hosts: ['*.a.com', 'a.com'] })],
  [
    'overlap is not judged beside a bad host',
    service({ hosts: ['a.com', 'a.com', '-'] }),
    'error XEB0101 spec.hosts[2]',
  ],
  ['no rules', { hosts: ['a'] }, 'error XEB0202 spec'],
  ['empty rules', { hosts: ['a'], http: [] }, 'error XEB0202 spec'],
  ['gateway references', service({ gateways: ['mesh', 'ns/name', 'name'] })],
  ['a bad gateway reference', service({ gateways: ['a/b/c'] }), 'error XEB0112 spec.gateways[0]'],
  ['an empty gateway name', service({ gateways: ['ns/'] }), 'error XEB0112 spec.gateways[0]'],
  ['the old form of a gateway', service({ gateways: ['gw.ns.svc.cluster.local'] }), 'warning IST0002 spec.gateways[0]'],
  ['a bad gateway behind a bare one', service({ gateways: ['gw', '_'] }), 'warning XEB0112 spec.gateways[1]'],
  ['export to the own namespace', service({ exportTo: ['.'] })],
  ['export to all', service({ exportTo: ['*'] })],
  ['export to namespaces', service({ exportTo: ['a', 'b'] })],
  ['export to all and one', service({ exportTo: ['*', 'a'] }), 'error XEB0111 spec.exportTo'],
  ['export to nobody', service({ exportTo: ['~'] }), 'error XEB0111 spec.exportTo[0]'],
  ['export twice', service({ exportTo: ['.', 'shop'] }), 'error XEB0111 spec.exportTo[1]'],
  ['a bad namespace', service({ exportTo: ['a b'] }), 'error XEB0111 spec.exportTo[0]'],
];

const delegates: readonly Case[] = [
  ['a delegate', { http: [{ route }] }],
  ['a delegate with empty hosts', { hosts: [], http: [{ route }] }],
  ['a delegate with gateways', { gateways: ['a'], http: [{ route }] }, 'error XEB0205 spec.gateways'],
  ['a delegate with tcp', { http: [{ route }], tcp: [{ route }] }, 'error XEB0205 spec.tcp'],
  [
    'a delegate with tls',
    { http: [{ route }], tls: [{ match: [{ sniHosts: ['a.com'] }], route }] },
    'error XEB0205 spec.tls',
    'error XEB0213 spec.tls[0].match[0].sniHosts[0]',
  ],
  ['a delegate that delegates', { http: [{ delegate: { name: 'a' } }] }, 'error XEB0205 spec.http[0].delegate'],
  ['delegating', { hosts: ['a'], http: [{ delegate: { name: 'b', namespace: 'c' } }] }],
  ['delegating to nobody', { hosts: ['a'], http: [{ delegate: {} }] }, 'warning XEB0205 spec.http[0].delegate.name'],
  ['delegating and routing', rule({ delegate: { name: 'b' } }), 'error XEB0204 spec.http[0].route'],
];

describe.each([
  ['hosts, gateways, exportTo', top],
  ['delegates', delegates],
])('VirtualService: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('VirtualService', spec)).toEqual(issues);
  });
});

describe('VirtualService: size', () => {
  it('judges 5,000 hosts and 2,000 rules without comparing everything with everything', () => {
    const hosts = Array.from({ length: 5000 }, (_, index) => `h${index}.example.com`);
    const http = Array.from({ length: 2000 }, (_, index) => ({ match: [{ uri: { exact: `/${index}` } }], route }));
    expect(judge('VirtualService', { hosts, http })).toEqual([]);
  });
});
