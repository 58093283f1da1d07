import { describe, expect, it } from 'vitest';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import type { Service } from '../../../model/service.ts';
import type { RoutePlan } from '../plan.ts';
import { at, port, service, virtualService } from '../policy/testing/fixtures.ts';
import { planVirtualHosts } from './plan.ts';

const asking = { namespace: 'default', labels: { app: 'client' }, dnsDomain: 'default.svc.cluster.local' };
const http = [{ route: [{ destination: { host: 'x' } }] }];
const vs = (name: string, ...hosts: string[]) => virtualService(name, { hosts, http });

function plan(
  services: readonly Service[],
  virtualServices: readonly MeshVirtualService[] = [],
  options: Partial<RoutePlan> = {},
) {
  const members = services.flatMap((one) => one.ports.map(({ port: number }) => at(one, number)));
  return planVirtualHosts(
    { name: '80', port: 80, members, virtualServices, dialled: [], sniffed: false, ...options },
    asking,
  );
}

/** `name: who decides`. */
function deciders({ virtualHosts }: ReturnType<typeof plan>): readonly string[] {
  return virtualHosts.map(({ name, virtualServices }) => {
    const names = virtualServices.map(({ object }) => object.meta.name);
    return `${name.replace('.svc.cluster.local', '')}: ${names.join(' ') || '-'}`;
  });
}

function domains(
  services: readonly Service[],
  options: Partial<RoutePlan> = {},
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(plan(services, [], options).virtualHosts.map((host) => [host.name, host.domains]));
}

describe('who decides for a host', () => {
  const reviews = service('reviews');
  const host = reviews.hostname;

  it.each<[string, readonly MeshVirtualService[], readonly string[]]>([
    ['nobody', [], ['reviews.default:80: -']],
    ['the one for it', [vs('a', host)], ['reviews.default:80: a']],
    ['all that are for it, the oldest first', [vs('a', host), vs('b', host)], ['reviews.default:80: a b']],
    ['all of the longest wildcard', [vs('a', '*.local'), vs('b', '*.local')], ['reviews.default:80: a b']],
    ['the one for it before older wildcards', [vs('a', '*.cluster.local'), vs('b', host)], ['reviews.default:80: b']],
    ['the longer wildcard', [vs('a', '*.local'), vs('b', '*.cluster.local')], ['reviews.default:80: b']],
    [
      'nobody bound to gateways only',
      [virtualService('a', { hosts: [host], gateways: ['x/y'], http })],
      ['reviews.default:80: -'],
    ],
    ['nobody without HTTP rules', [virtualService('a', { hosts: [host] })], ['reviews.default:80: -']],
    [
      'nobody without a rule for the client',
      [
        virtualService('a', {
          hosts: [host],
          http: http.map((rule) => ({ ...rule, match: [{ sourceLabels: { app: 'x' } }] })),
        }),
        vs('b', host),
      ],
      ['reviews.default:80: b'],
    ],
    ['itself for hosts without a service', [vs('a', host, 'other.com')], ['other.com:80: a', 'reviews.default:80: a']],
  ])('%s', (_, virtualServices, expected) => {
    expect(deciders(plan([reviews], virtualServices))).toEqual(expected);
  });

  it('under a wildcard service decides for its own name, and leaves the others', () => {
    const wild = service('*.foo.com');
    expect(deciders(plan([wild], [vs('a', 'api.foo.com')]))).toEqual(['*.foo.com:80: -', 'api.foo.com:80: a']);
  });
});

describe('domains', () => {
  it('of a service in the own namespace', () => {
    expect(
      domains([service('reviews', { addresses: ['10.96.0.1', '10.97.0.0/16', '10.98.0.1/32', 'fd00::1'] })]),
    ).toEqual({
      'reviews.default.svc.cluster.local:80': [
        'reviews.default.svc.cluster.local',
        'reviews',
        'reviews.default',
        'reviews.default.svc',
        '10.96.0.1',
        '10.98.0.1',
        '[fd00::1]',
      ],
    });
  });

  it('of others', () => {
    expect(domains([service('shop/reviews'), service('api.example.com')])).toEqual({
      'api.example.com:80': ['api.example.com'],
      'reviews.shop.svc.cluster.local:80': ['reviews.shop.svc.cluster.local', 'reviews.shop', 'reviews.shop.svc'],
    });
  });

  it('of a headless service also name its pods', () => {
    const [names] = Object.values(domains([service('db', { headless: true, resolution: { kind: 'passthrough' } })]));
    expect(names).toContain('*.db.default.svc.cluster.local');
    expect(names).toContain('*.db');
  });

  it('of pods that are dialled are their addresses, but for those that mean a service', () => {
    const headless = (name: string): Service => service(name, { headless: true, resolution: { kind: 'passthrough' } });
    const [db, copy] = [headless('db'), headless('copy')];
    const services = [db, copy, service('web', { addresses: ['10.1.0.3'] })];
    const members = services.map((one) => at(one, 80));
    const [ofDb, ofCopy] = members;
    if (ofDb === undefined || ofCopy === undefined) throw new Error('no members');
    const dialled = [
      { at: ofDb, addresses: ['10.1.0.1', '10.1.0.3', 'fd00::2'] },
      { at: ofCopy, addresses: ['10.1.0.1', '10.1.0.2'] },
    ];
    const names = domains(services, { members, dialled });
    expect(names['db.default.svc.cluster.local:80']?.slice(-2)).toEqual(['10.1.0.1', '[fd00::2]']);
    expect(names['copy.default.svc.cluster.local:80']?.slice(-1)).toEqual(['10.1.0.2']);
    expect(names['web.default.svc.cluster.local:80']).toContain('10.1.0.3');
    expect(plan(services, [], { members, dialled }).diagnostics).toEqual([]);
  });

  it('of a service that others know by another name are those, too, unless a rule is for that name', () => {
    const alias = (hostname: string, namespace: string): Service['aliases'][number] => ({
      hostname,
      visibility: { kind: 'namespaces', namespaces: new Set([namespace]) },
      origin: { kind: 'Service', namespace, name: 'alias' },
    });
    const local = 'front.default.svc.cluster.local';
    const cart = service('shop/cart', {
      aliases: [alias(local, 'default'), alias('x.shop.svc.cluster.local', 'shop')],
    });
    const own = ['cart.shop.svc.cluster.local', 'cart.shop', 'cart.shop.svc'];
    const aliases = [local, 'front', 'front.default', 'front.default.svc'];
    expect(domains([cart])).toEqual({ 'cart.shop.svc.cluster.local:80': [...own, ...aliases] });
    const { virtualHosts, diagnostics } = plan([cart], [vs('a', local)]);
    expect(Object.fromEntries(virtualHosts.map((host) => [host.name, host.domains]))).toEqual({
      'cart.shop.svc.cluster.local:80': own,
      [`${local}:80`]: aliases,
    });
    expect(diagnostics).toEqual([]);
  });

  it('belong to one host each; complete names to their own', () => {
    const services = [
      service('reviews', { addresses: ['10.0.0.1'] }),
      service('reviews.default', { addresses: ['10.0.0.1'] }),
    ];
    expect(domains(services)['reviews.default:80']).toEqual(['reviews.default']);
    expect(domains(services)['reviews.default.svc.cluster.local:80']).not.toContain('reviews.default');
    expect(
      plan(services).diagnostics.map(({ code, object, message }) => [code, object?.kind, message.split(' ')[0]]),
    ).toEqual([
      ['XEB2201', 'Service', 'reviews.default'],
      ['XEB2201', 'ServiceEntry', '10.0.0.1'],
    ]);
  });

  it('of a sniffed service are all: its address says who is meant', () => {
    const sniffed = { name: 'reviews.default.svc.cluster.local:80', sniffed: true };
    const planned = plan([service('reviews')], [vs('a', 'reviews.default.svc.cluster.local', 'other.com')], sniffed);
    expect(deciders(planned)).toEqual(['reviews.default:80: a']);
    expect(planned.virtualHosts[0]?.domains).toEqual(['*']);
  });

  it('never occur twice, whatever the services are called', () => {
    const services = ['a', 'svc/a', 'a.default', 'a.default.svc', 'default.svc', 'a/default'].map((name) =>
      service(name, { headless: true }),
    );
    const all = Object.values(domains(services)).flat();
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a listener of many ports', () => {
  const two = service('two', { ports: [port(80), port(8080)] });
  const one = service('one', { ports: [port(9090)] });

  it('tells hosts apart by port; an HTTP proxy takes no port for 80', () => {
    const planned = plan([two, one], [], { name: 'http_proxy', port: undefined });
    expect(planned.matchPorts).toBe(true);
    expect(planned.virtualHosts.map((host) => host.domains.slice(0, 2))).toEqual([
      ['one.default.svc.cluster.local:9090', 'one:9090'],
      ['two.default.svc.cluster.local', 'two.default.svc.cluster.local:80'],
      ['two.default.svc.cluster.local:8080', 'two:8080'],
    ]);
  });

  it("of one's own takes the only port a host has", () => {
    const planned = plan([one], [], { name: '8000', port: 8000 });
    expect(planned.virtualHosts[0]?.domains).toContain('one');
    expect(planned.virtualHosts[0]).toMatchObject({ port: 9090 });
  });

  it('is not what a listener of one port is', () => {
    expect(plan([service('reviews')]).matchPorts).toBe(false);
  });
});

it('plans the same for the same, so that what is built from it can be kept', () => {
  const virtualServices = [vs('a', 'reviews.default.svc.cluster.local')];
  const [first] = plan([service('reviews')], virtualServices).virtualHosts;
  const [second] = plan([service('reviews')], virtualServices).virtualHosts;
  expect(second?.virtualServices).toBe(first?.virtualServices);
  expect(second?.gateways).toBe(first?.gateways);
});
