import { describe, expect, it } from 'vitest';
import type { TcpRoute, TlsRoute } from '../../../apis/networking/networking.ts';
import { at, port, rule, service, virtualService } from '../policy/testing/fixtures.ts';
import type { Client } from './applies.ts';
import { destinationHosts } from './destination.ts';
import { type L4Routes, matchTcpRoutes, matchTlsRoutes } from './l4.ts';

const client: Client = { gateways: ['mesh'], port: 443, namespace: 'default', labels: { app: 'a' } };
const db = service('db.example.com', { ports: [port(443, 'TLS')] });
const to = (host: string, weight?: number) => ({
  destination: { host, port: { number: 443 } },
  ...(weight === undefined ? {} : { weight }),
});

function tcp(routes: readonly TcpRoute[], options: Partial<Client> = {}): L4Routes {
  const virtualServices = [virtualService('v', { hosts: ['db.example.com'], tcp: routes })];
  return matchTcpRoutes({ virtualServices, client: { ...client, ...options }, destinations: [at(db)] });
}

function tls(routes: readonly TlsRoute[]): L4Routes {
  const virtualServices = [virtualService('v', { hosts: ['*.example.com'], tls: routes })];
  return matchTlsRoutes({ virtualServices, client, destinations: [at(db)] });
}

const summary = ({ routes }: L4Routes) =>
  routes.map(({ sniHosts, destinationSubnets, targets }) => [
    [...sniHosts, ...destinationSubnets].join(' '),
    targets.map(({ cluster, weight }) => `${weight} ${cluster.split('|').at(-1)}`).join(' '),
  ]);

describe('TLS routes', () => {
  it('are one for each match that applies', () => {
    const routes = tls([
      { match: [{ sniHosts: ['a.example.com'] }, { sniHosts: ['b.example.com'], port: 8443 }], route: [to('a')] },
      { match: [{ sniHosts: ['c.example.com'], destinationSubnets: ['10.0.0.0/8'] }], route: [to('c')] },
    ]);
    expect(summary(routes)).toEqual([
      ['a.example.com', '1 a'],
      ['c.example.com 10.0.0.0/8', '1 c'],
    ]);
    expect(routes.routes.map(({ place }) => place.path)).toEqual(['spec.tls[0]', 'spec.tls[1]']);
  });
});

describe('TCP routes', () => {
  it.each<[string, TcpRoute, string | undefined]>([
    ['without a match', { route: [to('a')] }, ''],
    ['of another port', { match: [{ port: 1 }], route: [to('a')] }, undefined],
    ['of this port', { match: [{ port: 443 }], route: [to('a')] }, ''],
    ['of other clients', { match: [{ sourceLabels: { app: 'b' } }], route: [to('a')] }, undefined],
    ['of other namespaces', { match: [{ sourceNamespace: 'x' }], route: [to('a')] }, undefined],
    ['of a gateway', { match: [{ gateways: ['x/y'] }], route: [to('a')] }, undefined],
    [
      'of sidecars with other labels',
      { match: [{ gateways: ['mesh'], sourceLabels: { app: 'b' } }], route: [to('a')] },
      undefined,
    ],
    [
      'of blocks',
      { match: [{ destinationSubnets: ['10.1.0.0/16'] }, { destinationSubnets: ['10.2.0.0/16'] }], route: [to('a')] },
      '10.1.0.0/16 10.2.0.0/16',
    ],
    ['of a block, or any', { match: [{ destinationSubnets: ['10.1.0.0/16'] }, {}], route: [to('a')] }, ''],
  ])('%s', (_, route, expected) => {
    expect(summary(tcp([route]))).toEqual(expected === undefined ? [] : [[expected, '1 a']]);
  });

  it('end with the first that takes everything', () => {
    const blocks = { match: [{ destinationSubnets: ['10.1.0.0/16'] }], route: [to('a')] };
    expect(summary(tcp([blocks, { route: [to('b')] }, { route: [to('c')] }]))).toEqual([
      ['10.1.0.0/16', '1 a'],
      ['', '1 b'],
    ]);
  });

  it('split by weight, and are then named after the virtual service', () => {
    const routes = tcp([{ route: [to('a', 80), to('b', 20), to('c', 0)] }]);
    expect(summary(routes)).toEqual([['', '80 a 20 b']]);
    expect(routes.routes[0]?.statPrefix).toBe('v.default');
  });

  it('are named after the only cluster', () => {
    expect(tcp([{ route: [to('a', 0)] }]).routes[0]).toMatchObject({
      statPrefix: 'outbound|443||a',
      targets: [{ weight: 1 }],
    });
  });

  it('at a gateway do not ask about labels once they name it', () => {
    const match = [{ gateways: ['x/y'], sourceLabels: { app: 'b' } }];
    expect(summary(tcp([{ match, route: [to('a')] }], { gateways: ['x/y'] }))).toEqual([['', '1 a']]);
  });
});

describe('destinations', () => {
  it('have the only port of their service, else the one dialled', () => {
    const one = service('one', { ports: [port(9000, 'TCP')] });
    const two = service('two', { ports: [port(1, 'TCP'), port(2, 'TCP')] });
    const virtualServices = [
      virtualService('v', {
        hosts: ['x'],
        tcp: [{ route: [one, two].map(({ hostname }) => ({ destination: { host: hostname }, weight: 1 })) }],
      }),
    ];
    const destinations = [at(one), at(two, 1), at(two, 2)];
    const { routes, diagnostics } = matchTcpRoutes({ virtualServices, client, destinations });
    expect(routes[0]?.targets.map(({ cluster }) => cluster)).toEqual([
      'outbound|9000||one.default.svc.cluster.local',
      'outbound|443||two.default.svc.cluster.local',
    ]);
    expect(diagnostics).toMatchObject([{ code: 'IST0101', path: ['spec', 'tcp', 0, 'route', 1, 'destination'] }]);
  });

  it('that are missing keep their route, and their owner is told', () => {
    const applied = rule({ subsets: [{ name: 'v1' }] });
    const destination = { host: 'db.example.com', subset: 'v2' };
    const virtualServices = [virtualService('v', { hosts: ['x'], tcp: [{ route: [{ destination }] }] })];
    const { routes, diagnostics } = matchTcpRoutes({ virtualServices, client, destinations: [at(db, 443, applied)] });
    expect(routes[0]?.targets[0]?.cluster).toBe('outbound|443|v2|db.example.com');
    expect(diagnostics).toMatchObject([
      { level: 'warning', code: 'IST0101', message: expect.stringContaining('subset v2') },
    ]);
  });

  it('are listed for whoever collects what the routes need', () => {
    const route = [{ destination: { host: 'b' } }];
    const http = [{ route, mirror: { host: 'm' }, mirrors: [{ destination: { host: 'n' } }] }];
    expect(destinationHosts(virtualService('v', { hosts: ['x'], http, tcp: [{ route: [to('a')] }] }))).toEqual([
      'a',
      'b',
      'm',
      'n',
    ]);
  });
});
