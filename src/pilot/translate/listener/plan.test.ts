import { describe, expect, it } from 'vitest';
import type { EgressListener } from '../../../apis/networking/networking.ts';
import type { Protocol } from '../../../model/service.ts';
import { port, service, virtualService } from '../policy/testing/fixtures.ts';
import { keepEqual } from './keep-equal.ts';
import { egress, outbound, plan } from './testing/sidecar.ts';

const web = service('web', { ports: [port(80), port(8080)], addresses: ['10.0.0.1'] });
const api = service('api', { ports: [port(8080)], addresses: ['10.0.0.2'] });
const db = service('db', { ports: [port(5432, 'TCP')], addresses: ['10.0.0.3'] });
const sniffed = service('sniffed', { ports: [port(8080, 'auto')], addresses: ['10.0.0.4'] });
const services = [web, api, db, sniffed];
const route = [{ destination: { host: web.hostname } }];
const http = (name: string, ...hosts: string[]) => virtualService(name, { hosts, http: [{ route }] });

describe('routes of the open scope', () => {
  it('are one for each HTTP port, and one for each sniffed service', () => {
    expect(outbound({ egress: [egress({ services })] }).routes).toEqual({
      80: ['web'],
      8080: ['web', 'api', 'sniffed'],
      [`${sniffed.hostname}:8080`]: ['sniffed'],
    });
  });

  it('of a wildcard host have the virtual services for names under it', () => {
    const wild = service('*.example.com', { ports: [port(80)] });
    const virtualServices = [http('b', 'b.example.com'), http('other', 'b.other.com'), http('a', 'a.example.com')];
    const [only] = plan({ egress: [egress({ services: [wild, web], virtualServices })] }).routes;
    expect(only?.virtualServices.map(({ object }) => object.meta.name)).toEqual(['b', 'other', 'a']);
    const { routes } = plan({
      egress: [egress({ services: [service('*.example.com', { ports: [port(81)] })], virtualServices })],
    });
    expect(routes[0]?.virtualServices.map(({ object }) => object.meta.name)).toEqual(['b', 'a']);
  });

  it('know the pods that are dialled on a headless port of HTTP; others listen at the pods’ addresses', () => {
    const peers = service('peers', { ports: [port(80), port(81, 'auto'), port(82, 'TCP')], headless: true });
    const addresses = ['10.2.0.1', '10.2.0.2'];
    const headless = [80, 81, 82].map((number) => ({ service: peers.key, port: number, addresses }));
    const dialled = (bind?: string): readonly (readonly [number, readonly string[]])[] => {
      const own: { listener?: EgressListener } = bind === undefined ? {} : { listener: { hosts: ['*/*'], bind } };
      const { routes } = plan({ egress: [egress({ services: [peers, web], ...own })], headless });
      return routes.flatMap((one) => one.dialled.map((pods) => [pods.at.port.port, pods.addresses] as const));
    };
    expect(dialled()).toEqual([[80, addresses]]);
    expect(dialled('127.0.0.1')).toEqual([]);
  });

  it('have the virtual services for their hosts, oldest first; those for hosts of nobody go to port 80', () => {
    const virtualServices = [
      http('orphan', 'nobody.example.com'),
      http('all', '*.default.svc.cluster.local'),
      http('web', web.hostname),
      virtualService('tcp', { hosts: [web.hostname], tcp: [{ route }] }),
    ];
    const { routes } = plan({ egress: [egress({ services, virtualServices })] });
    const names = routes.map((one) => [one.name, one.virtualServices.map(({ object }) => object.meta.name)]);
    expect(Object.fromEntries(names)).toEqual({
      80: ['orphan', 'all', 'web'],
      8080: ['all', 'web'],
      [`${sniffed.hostname}:8080`]: ['all'],
    });
  });
});

function sidecarEgress(protocol: Protocol | undefined, options: Partial<EgressListener> = {}): EgressListener {
  const of = protocol === undefined ? {} : { port: { number: 9080, name: 'p', protocol } };
  return { ...of, hosts: ['*/*'], ...options };
}

describe('a Sidecar’s egress listener', () => {
  it.each<[string, EgressListener, Record<string, readonly string[]>]>([
    [
      'with an HTTP port carries all ports of its services',
      sidecarEgress('HTTP'),
      { '0.0.0.0_9080': ['raw → http rds 9080', 'else → tcp PassthroughCluster'] },
    ],
    [
      'binds where it is told',
      sidecarEgress('HTTP', { bind: '10.9.9.9' }),
      { '10.9.9.9_9080': ['raw → http rds 9080', 'else → tcp PassthroughCluster'] },
    ],
    [
      'that is not captured is a real socket on loopback',
      sidecarEgress('HTTP', { captureMode: 'NONE' }),
      { '127.0.0.1_9080': ['→ http rds 9080'] },
    ],
    [
      'may be a unix socket',
      sidecarEgress('HTTP', { port: { number: 0, name: 'p', protocol: 'HTTP' }, bind: 'unix:///tmp/x' }),
      { 'unix:///tmp/x_0': ['→ http rds unix:///tmp/x'] },
    ],
    [
      'with a TCP port leads there from its own number',
      sidecarEgress('TCP', { bind: '127.0.0.1' }),
      {
        '127.0.0.1_9080': ['→ tcp outbound|5432||db.default.svc.cluster.local'],
      },
    ],
  ])('%s', (_, listener, expected) => {
    const carried = listener.port?.protocol === 'TCP' ? [db] : services;
    expect(outbound({ egress: [egress({ services: carried, listener })] }).chains).toEqual(expected);
  });

  it('with the number of a service’s port means that port', () => {
    const listener = sidecarEgress('HTTP', { port: { number: 8080, name: 'p', protocol: 'HTTP' } });
    const [only] = plan({ egress: [egress({ services, listener })] }).routes;
    expect(only?.members.map((at) => `${at.service.name}:${at.port.port}`)).toEqual([
      'web:8080',
      'api:8080',
      'sniffed:8080',
    ]);
  });

  it('without a port takes the rest, and leaves what others took', () => {
    const taken = sidecarEgress('HTTP', { port: { number: 8080, name: 'p', protocol: 'HTTP' } });
    const { chains, routes } = outbound({
      egress: [egress({ services: [api], listener: taken }), egress({ services, listener: sidecarEgress(undefined) })],
    });
    expect(Object.keys(chains)).toEqual(['0.0.0.0_8080', '0.0.0.0_80', '10.0.0.3_5432', '10.0.0.4_8080']);
    expect(routes).toMatchObject({ 80: ['web'], 8080: ['api'] });
  });
});

describe('without interception', () => {
  it('everything is a real socket on loopback, and an HTTP proxy is there', () => {
    const { chains, resources, routes } = outbound({
      egress: [egress({ services })],
      traits: { interception: 'NONE' },
    });
    expect(chains).toEqual({
      '127.0.0.1_80': ['→ http rds 80'],
      '127.0.0.1_8080': [
        'raw http/1.1,h2c → http rds 8080',
        'else → tcp outbound|8080||sniffed.default.svc.cluster.local',
      ],
      '127.0.0.1_5432': ['→ tcp outbound|5432||db.default.svc.cluster.local'],
      '127.0.0.1_15002': ['→ http rds http_proxy'],
    });
    expect(resources['127.0.0.1_80']?.message.bindToPort).toBeUndefined();
    expect(routes['http_proxy']).toEqual(['web', 'web', 'api', 'sniffed']);
  });

  it('ports of the proxy itself cannot be had, and the service is told', () => {
    const greedy = service('greedy', { ports: [port(15_000)] });
    const { chains, diagnostics } = outbound({
      egress: [egress({ services: [greedy] })],
      traits: { interception: 'NONE' },
    });
    expect(Object.keys(chains)).toEqual(['127.0.0.1_15002']);
    expect(diagnostics).toMatchObject([{ code: 'XEB2301', object: { name: 'greedy' } }]);
  });
});

it('an HTTP proxy port of the mesh is there beside interception', () => {
  const { chains } = outbound({ egress: [egress({ services: [web] })], httpProxyPort: 15_080 });
  expect(chains['127.0.0.1_15080']).toEqual(['→ http rds http_proxy']);
});

it('plans made anew keep the parts that did not move', () => {
  const before = plan({ egress: [egress({ services })] });
  const again = plan({ egress: [egress({ services: [...services] })] });
  expect(keepEqual(before.listeners, again.listeners)).toBe(before.listeners);
  const more = plan({ egress: [egress({ services: [...services, service('new', { ports: [port(80)] })] })] });
  const kept = keepEqual(before.listeners, more.listeners);
  const unmoved = kept.filter((part, index) => part === before.listeners[index]).map(({ name }) => name);
  expect(unmoved).toEqual(['0.0.0.0_8080', '10.0.0.3_5432', '10.0.0.4_8080']);
});
