import { expect, it } from 'vitest';
import { renderPath } from '../../apis/issue.ts';
import type { ConfigObject } from '../../model/object.ts';
import {
  delegate,
  destinationRule,
  gateway,
  pod,
  routeTo,
  service,
  serviceEntry,
  virtualService,
} from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { analyze } from './analyze.ts';

/** `code namespace/name path`, in the order of the analyzers. */
function findings(...objects: readonly ConfigObject[]): readonly string[] {
  return analyze(configSnapshot(objects)).map(
    ({ code, object, path }) => `${code} ${object?.namespace}/${object?.name} ${renderPath(path)}`,
  );
}

it('is content with a mesh in which everything fits', () => {
  expect(
    findings(
      service('reviews'),
      pod('reviews-1', { labels: { app: 'reviews', version: 'v1' } }),
      pod('gateway', { labels: { istio: 'ingressgateway' } }),
      destinationRule('reviews', { subsets: [{ name: 'v1', labels: { version: 'v1' } }] }),
      gateway('front'),
      virtualService('reviews', {
        gateways: ['front', 'mesh'],
        http: [routeTo('reviews', { subset: 'v1', port: 80 })],
      }),
    ),
  ).toEqual([]);
});

it('misses Gateways, in the list and in matches', () => {
  const http = [routeTo('reviews', {}, { match: [{ gateways: ['mesh', 'other/unknown'] }] })];
  expect(
    findings(
      gateway('there/front'),
      virtualService('a', { gateways: ['front', 'there/front'], hosts: ['a.com'], http }),
    ),
  ).toEqual(['IST0101 default/a spec.gateways[0]', 'IST0101 default/a spec.http[0].match[0].gateways[1]']);
  const [missing] = analyze(configSnapshot([gateway('there/front'), virtualService('a', { gateways: ['front'] })]));
  expect(missing?.message).toContain('did you mean there/front?');
});

it('says nothing about what is no reference to a Gateway', () => {
  expect(findings(virtualService('a', { gateways: ['front', 'a/b/c'] }), gateway('front'))).toEqual([]);
});

it('misses hosts, ports and subsets of destinations', () => {
  const objects = [
    service('reviews', { ports: [9080] }),
    destinationRule('reviews', { subsets: [{ name: 'v1', labels: {} }] }),
    serviceEntry('wide', { hosts: ['*.example.com'] }),
  ];
  const route = virtualService('all', {
    hosts: ['all.com'],
    http: [
      routeTo('reviews', { port: 80 }),
      routeTo('reviews', { subset: 'v2', port: 0 }),
      routeTo('review'),
      routeTo('api.example.com', { port: 443 }),
      routeTo(
        'reviews',
        { subset: 'v1', port: 9080 },
        { mirror: { host: 'nowhere' }, mirrors: [{ destination: { host: 'nothing' } }] },
      ),
    ],
    tcp: [{ route: [{ destination: { host: 'no-tcp' } }] }],
  });
  expect(findings(...objects, route)).toEqual([
    'IST0101 default/all spec.http[0].route[0].destination.port.number',
    'IST0101 default/all spec.http[1].route[0].destination.subset',
    'IST0101 default/all spec.http[2].route[0].destination.host',
    'IST0101 default/all spec.http[4].mirror.host',
    'IST0101 default/all spec.http[4].mirrors[0].destination.host',
    'IST0101 default/all spec.tcp[0].route[0].destination.host',
  ]);
});

it('says nothing about Services where there are none, but misses what must be among ServiceEntries and DestinationRules', () => {
  const subsets = [{ name: 'v1', labels: {} }];
  const objects = [serviceEntry('ext', { hosts: ['a.com'] }), destinationRule('reviews', { subsets })];
  const http = [
    routeTo('reviews', { subset: 'v1' }),
    routeTo('reviews', { subset: 'v2' }),
    routeTo('ratings', { subset: 'v1' }),
    routeTo('b.com'),
  ];
  expect(findings(...objects, virtualService('web', { hosts: ['web.com'], http }))).toEqual([
    'IST0101 default/web spec.http[1].route[0].destination.subset',
    'IST0101 default/web spec.http[3].route[0].destination.host',
  ]);
});

it('misses a host that is not exported to the namespace', () => {
  const hidden = service('shop/pay', {}, { annotations: { 'networking.istio.io/exportTo': '.' } });
  const route = virtualService('web', { hosts: ['web.com'], http: [routeTo('pay.shop.svc.cluster.local')] });
  expect(findings(hidden, route)).toEqual(['IST0101 default/web spec.http[0].route[0].destination.host']);
  expect(findings(hidden, virtualService('shop/web', { hosts: ['web.com'], http: [routeTo('pay')] }))).toEqual([]);
});

it('says nothing about hosts and workloads when it sees none', () => {
  expect(findings(virtualService('reviews'), gateway('front'), destinationRule('reviews'))).toEqual([]);
});

it('misses delegates, and finds circles of them', () => {
  const to = (name: string, namespace?: string) => ({
    delegate: namespace === undefined ? { name } : { name, namespace },
  });
  expect(
    findings(
      virtualService('root', { hosts: ['root.com'], http: [to('missing'), to('leaf'), to('a', 'loop'), to('hosted')] }),
      delegate('leaf', { http: [routeTo('x')] }),
      virtualService('hosted', { hosts: ['hosted.com'], http: [routeTo('x')] }),
      delegate('loop/a', { http: [to('b')] }),
      delegate('loop/b', { http: [to('a')] }),
      delegate('self', { http: [to('self')] }),
    ),
  ).toEqual([
    'IST0101 default/root spec.http[0].delegate',
    'XEB1102 default/root spec.http[3].delegate',
    'XEB1101 default/self spec.http[0].delegate',
    'XEB1101 loop/a spec.http[0].delegate',
    'XEB1101 loop/b spec.http[0].delegate',
  ]);
});

it('finds VirtualServices that route one host for the same sidecars', () => {
  const own = { exportTo: ['.'] };
  expect(
    findings(virtualService('a', { hosts: ['x.com'] }), virtualService('b', { hosts: ['y.com', 'X.com'] })),
  ).toEqual(['IST0109 default/a spec.hosts[0]', 'IST0109 default/b spec.hosts[1]']);
  expect(findings(virtualService('a', { hosts: ['x'] }), virtualService('other/b', { hosts: ['x'] }))).toEqual([]);
  expect(
    findings(
      virtualService('one/a', { hosts: ['x.com'], ...own }),
      virtualService('two/b', { hosts: ['x.com'], ...own }),
    ),
  ).toEqual([]);
});

it('finds hosts that no bound Gateway has', () => {
  const front = gateway('front', {
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.shop.com', 'other/api.com'] }],
  });
  const bound = (hosts: readonly string[]) => virtualService('a', { gateways: ['front'], hosts });
  expect(findings(front, bound(['www.shop.com', 'shop.com', 'api.com']))).toEqual([
    'IST0132 default/a spec.hosts[1]',
    'IST0132 default/a spec.hosts[2]',
  ]);
  expect(findings(front, bound(['*']))).toEqual([]);
});

it('finds Gateways without workloads, as information', () => {
  const diagnostics = analyze(configSnapshot([pod('web'), gateway('front')]));
  expect(diagnostics).toMatchObject([{ code: 'IST0101', level: 'info', path: ['spec', 'selector'] }]);
});

it('finds Gateways that want a port or a host twice', () => {
  const server = (number: number, protocol: string, hosts: readonly string[]) => ({
    port: { number, name: 'p', protocol },
    hosts,
  });
  expect(
    findings(
      gateway('a', { servers: [server(80, 'HTTP', ['a.com', '*.b.com'])] }),
      gateway('b', { servers: [server(80, 'HTTP', ['x.b.com', 'a.com']), server(443, 'HTTPS', ['a.com'])] }),
      gateway('c', { servers: [server(80, 'TCP', ['*'])] }),
      gateway('d', { selector: { istio: 'other' }, servers: [server(80, 'TCP', ['a.com'])] }),
    ),
  ).toEqual(['IST0145 default/b spec.servers[0].hosts[1]', 'XEB1103 default/c spec.servers[0].port']);
});

it('finds DestinationRules for nothing, and subsets without workloads', () => {
  const subsets = [
    { name: 'v1', labels: { version: 'v1' } },
    { name: 'v2', labels: { version: 'v2' } },
  ];
  const rule = destinationRule('reviews', { subsets });
  expect(findings(service('reviews'), rule, destinationRule('nothing'))).toEqual(['IST0174 default/nothing spec.host']);
  expect(findings(service('reviews'), rule, pod('p', { labels: { app: 'reviews', version: 'v1' } }))).toEqual([
    'IST0173 default/reviews spec.subsets[1]',
  ]);
});

it('finds ServiceEntries with one address for plain TCP', () => {
  const entry = (name: string, protocol: string, addresses: readonly string[]) =>
    serviceEntry(name, { ports: [{ number: 5432, name: 'db', protocol }], addresses });
  expect(
    findings(
      entry('a', 'TCP', ['10.0.0.1', '10.1.0.0/16']),
      entry('b', 'TCP', ['10.0.0.1', '10.2.0.1']),
      entry('c', 'HTTP', ['10.0.0.1']),
      entry('d', 'TCP', ['10.1.9.9', '2001:db8::1']),
      entry('e', 'MYSQL', ['2001:0db8:0::1']),
    ),
  ).toEqual([
    'XEB1104 default/b spec.addresses[0]',
    'XEB1104 default/d spec.addresses[0]',
    'XEB1104 default/e spec.addresses[0]',
  ]);
});

it('leaves out what the object asks to leave out', () => {
  const annotations = { 'galley.istio.io/analyze-suppress': 'IST0000, IST0101' };
  expect(findings(virtualService('a', { gateways: ['x'] }, { annotations }))).toEqual([]);
  expect(
    findings(virtualService('a', { gateways: ['x'] }, { annotations: { 'galley.istio.io/analyze-suppress': '*' } })),
  ).toEqual([]);
});
