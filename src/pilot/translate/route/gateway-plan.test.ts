import { describe, expect, it } from 'vitest';
import type { GatewayServer } from '../../../apis/networking/networking.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { gateway } from '../../../testing/builders.ts';
import type { GatewayServerPlan } from '../plan.ts';
import { virtualService } from '../policy/testing/fixtures.ts';
import { planGatewayVirtualHosts } from './gateway-plan.ts';

const http = [{ route: [{ destination: { host: 'x' } }] }];

function server(name: string, hosts: readonly string[], tls?: GatewayServer['tls']): GatewayServerPlan {
  const parsed = hosts.map((entry) => {
    const [namespace, host] = entry.includes('/') ? entry.split('/') : [undefined, entry];
    return { namespace, host: host ?? '' };
  });
  const spec = { port: { number: 80, protocol: 'HTTP', name: 'http' }, hosts, ...(tls ? { tls } : {}) };
  return { gateway: gateway(`ns/${name}`), index: 0, server: spec, hosts: parsed };
}

function bound(name: string, hosts: readonly string[], gateways = ['ns/g']): MeshVirtualService {
  return virtualService(name, { hosts, gateways, http });
}

function plan(
  servers: readonly GatewayServerPlan[],
  virtualServices: readonly MeshVirtualService[],
): readonly string[] {
  return planGatewayVirtualHosts({ name: 'http.80', port: 80, servers }, virtualServices).map(
    ({ name, virtualServices: own, requireTls }) =>
      `${name} ${own.map(({ object }) => object.meta.name).join(' ')}${requireTls ? ' tls' : ''}`,
  );
}

describe('hosts of a gateway', () => {
  it.each<[string, readonly string[], readonly MeshVirtualService[], readonly string[]]>([
    ['equal', ['a.com'], [bound('v', ['a.com'])], ['a.com:80 v']],
    ['narrower in the virtual service', ['*.com'], [bound('v', ['a.com', '*.b.com'])], ['*.b.com:80 v', 'a.com:80 v']],
    ['narrower in the server', ['a.com'], [bound('v', ['*'])], ['a.com:80 v']],
    ['all', ['*'], [bound('v', ['*'])], ['*:80 v']],
    ['without anything in common', ['a.com'], [bound('v', ['b.com'])], ['blackhole:80 ']],
    ['of several, older first', ['*'], [bound('v', ['a.com']), bound('w', ['a.com'])], ['a.com:80 v w']],
    ['bound elsewhere', ['*'], [bound('v', ['a.com'], ['mesh', 'ns/other'])], ['blackhole:80 ']],
    [
      'of the namespace that is let in',
      ['default/a.com'],
      [bound('v', ['a.com']), bound('shop/w', ['a.com'])],
      ['a.com:80 v'],
    ],
  ])('%s', (...[, hosts, virtualServices, expected]) => {
    expect(plan([server('g', hosts)], virtualServices)).toEqual(expected);
  });

  it('of two servers on one port are told apart by what is bound to each', () => {
    const servers = [server('g', ['a.com']), server('h', ['b.com'])];
    expect(plan(servers, [bound('v', ['*'], ['ns/g']), bound('w', ['*'], ['ns/h'])])).toEqual([
      'a.com:80 v',
      'b.com:80 w',
    ]);
  });

  it('are sent to https, with rules or without', () => {
    const servers = [server('g', ['a.com', 'b.com'], { httpsRedirect: true }), server('h', ['c.com'])];
    expect(plan(servers, [bound('v', ['a.com']), bound('w', ['c.com'], ['ns/h'])])).toEqual([
      'a.com:80 v tls',
      'b.com:80  tls',
      'c.com:80 w',
    ]);
  });
});
