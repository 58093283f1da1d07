import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { serviceKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Service } from '../../model/service.ts';
import { type Meta, namespace, service, serviceEntry } from '../../testing/builders.ts';
import { type ConfigOptions, configSnapshot, meshConfig } from '../../testing/config.ts';
import { collectDiagnostics } from './diagnose.ts';
import { Registry, type RegistryView } from './registry.ts';

type View = RegistryView & { readonly diagnostics: readonly Diagnostic[] };

function view(objects: readonly ConfigObject[], options?: ConfigOptions): View {
  const registry = new Registry({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  const found = registry.update(configSnapshot(objects, options));
  return { ...found, diagnostics: collectDiagnostics([], registry.diagnostics()) };
}

function only(objects: readonly ConfigObject[], options?: ConfigOptions): Service {
  const [found, ...more] = view(objects, options).services;
  expect(more).toEqual([]);
  if (found === undefined) throw new Error('no service');
  return found;
}

describe('from a Kubernetes Service', () => {
  it('is named by its object and answers at its cluster addresses only', () => {
    const object = service('shop/reviews', {
      clusterIPs: ['10.96.0.1', 'fd00::1'],
      externalIPs: ['203.0.113.1'],
      loadBalancerIngress: [{ ip: '203.0.113.2', hostname: undefined }],
      ports: [{ port: 9080, name: 'http' }, 9090],
    });
    expect(only([object])).toMatchObject({
      key: 'shop/reviews.shop.svc.cluster.local',
      hostname: 'reviews.shop.svc.cluster.local',
      namespace: 'shop',
      name: 'reviews',
      registry: 'Kubernetes',
      ports: [
        { name: 'http', port: 9080, protocol: 'HTTP' },
        { name: '', port: 9090, protocol: 'auto' },
      ],
      addresses: ['10.96.0.1', 'fd00::1'],
      autoAddresses: [],
      resolution: { kind: 'endpoints' },
      headless: false,
      meshExternal: false,
      visibility: { kind: 'public' },
    });
  });

  it('is headless only if it says so; without an address, DNS capture has one', () => {
    expect(only([service('a', { clusterIPs: ['None'] })])).toMatchObject({
      headless: true,
      addresses: [],
      autoAddresses: [],
      resolution: { kind: 'passthrough' },
    });
    const addressless = only([service('a', { clusterIPs: [] })]);
    expect(addressless).toMatchObject({ headless: false, addresses: [], resolution: { kind: 'endpoints' } });
    expect(addressless.autoAddresses).toEqual([expect.stringMatching(/^240\.240\./)]);
  });

  it('is resolved by DNS and external as an ExternalName', () => {
    expect(only([service('a', { type: 'ExternalName', externalName: 'Example.com', clusterIPs: [] })])).toMatchObject({
      resolution: { kind: 'dns', logical: false },
      meshExternal: true,
      headless: false,
      addresses: [],
      autoAddresses: [],
    });
  });

  it('keeps one port per number, the one that can be proxied', () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
      { name: 'quic', port: 443, protocol: 'UDP' },
    ];
    const object = { kind: 'Service', namespace: 'default', name: 'dns' };
    expect(only([service('dns', { ports })]).ports).toEqual([
      { name: 'dns-tcp', port: 53, protocol: 'TCP', object, index: 1 },
      { name: 'quic', port: 443, protocol: 'UDP', object, index: 2 },
    ]);
  });

  it('takes visibility from its annotation, else from the mesh', () => {
    const annotated = service('a', {}, { annotations: { 'networking.istio.io/exportTo': '.' } });
    expect(only([annotated]).visibility).toEqual({ kind: 'namespaces', namespaces: new Set(['default']) });
    const mesh = meshConfig({ defaultServiceExportTo: ['.', 'shop'] });
    expect(only([service('a')], { mesh }).visibility).toEqual({
      kind: 'namespaces',
      namespaces: new Set(['default', 'shop']),
    });
  });

  it('takes traffic distribution from field, annotation and namespace, in this order', () => {
    const annotation = 'networking.istio.io/traffic-distribution';
    const home = {
      ...namespace('default'),
      meta: { ...namespace('default').meta, annotations: { [annotation]: 'PreferSameNode' } },
    };
    const annotated = service('a', {}, { annotations: { [annotation]: 'PreferClose' } });
    const field = service(
      'a',
      { trafficDistribution: 'PreferSameNode' },
      { annotations: { [annotation]: 'PreferClose' } },
    );
    expect(only([service('a')]).trafficDistribution).toBe('any');
    expect(only([home, service('a')]).trafficDistribution).toBe('same-node');
    expect(only([home, annotated]).trafficDistribution).toBe('same-zone');
    expect(only([home, field]).trafficDistribution).toBe('same-node');
  });

  it('names the accounts its annotations name', () => {
    const annotations = {
      'alpha.istio.io/canonical-serviceaccounts': 'spiffe://other/ns/x/sa/y',
      'alpha.istio.io/kubernetes-serviceaccounts': 'one, two',
    };
    expect(only([service('shop/a', {}, { annotations })]).subjectAltNames).toEqual([
      'spiffe://other/ns/x/sa/y',
      'spiffe://cluster.local/ns/shop/sa/one',
      'spiffe://cluster.local/ns/shop/sa/two',
    ]);
  });
});

describe('from a ServiceEntry', () => {
  it.each([
    ['NONE', {}, { kind: 'passthrough' }],
    [undefined, {}, { kind: 'passthrough' }],
    ['STATIC', {}, { kind: 'endpoints' }],
    ['DNS', {}, { kind: 'dns', logical: false }],
    ['DNS', { 'istio.io/connect-strategy': 'RACE_FIRST_TCP_CONNECT' }, { kind: 'dns', logical: true }],
    ['DNS_ROUND_ROBIN', {}, { kind: 'dns', logical: true }],
    ['DYNAMIC_DNS', {}, { kind: 'dynamic-dns' }],
  ] as const)('resolution %s %j', (resolution, annotations, expected) => {
    const spec = { hosts: ['example.com'], ports: [] };
    const object = serviceEntry('a', resolution === undefined ? spec : { ...spec, resolution }, { annotations });
    expect(only([resolution === undefined ? { ...object, spec } : object]).resolution).toEqual(expected);
  });

  it('is one service per host, external unless it says otherwise', () => {
    const entry = serviceEntry('shop/a', {
      hosts: ['B.example.com', '*.example.org', 'b.example.com'],
      addresses: ['10.0.0.1/32', '10.1.0.0/16', 'fd00::1/128'],
      exportTo: ['.'],
      subjectAltNames: ['spiffe://x'],
    });
    const { services } = view([entry]);
    expect(services.map(({ key }) => key)).toEqual(['shop/*.example.org', 'shop/b.example.com']);
    expect(services[1]).toMatchObject({
      registry: 'External',
      meshExternal: true,
      addresses: ['10.0.0.1', '10.1.0.0/16', 'fd00::1'],
      ports: [{ name: 'https', port: 443, protocol: 'HTTPS' }],
      visibility: { kind: 'namespaces', namespaces: new Set(['shop']) },
      subjectAltNames: ['spiffe://x'],
    });
    expect(only([serviceEntry('a', { location: 'MESH_INTERNAL' })]).meshExternal).toBe(false);
  });

  it('has one automatic address per host, in whatever namespace', () => {
    const { services } = view([serviceEntry('a/x'), serviceEntry('b/x'), serviceEntry('b/y')]);
    const [first, second, third] = services.map(({ autoAddresses }) => autoAddresses[0]);
    expect(first).toMatch(/^240\.240\./);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it.each([
    { addresses: ['10.0.0.1'] },
    { hosts: ['*.example.com'] },
    { resolution: 'NONE' as const },
    { resolution: 'DYNAMIC_DNS' as const },
  ])('has no automatic address with %j', (spec) => {
    expect(only([serviceEntry('a', spec)]).autoAddresses).toEqual([]);
  });

  it('adds ports and addresses to an older entry of the same host', () => {
    const spec = { hosts: ['db.example.com'], resolution: 'STATIC' as const };
    const old = serviceEntry(
      'old',
      { ...spec, ports: [{ number: 1, name: 'one', protocol: 'TCP' }] },
      { createdAt: 1 },
    );
    const young = serviceEntry(
      'young',
      {
        ...spec,
        addresses: ['10.0.0.9'],
        ports: [
          { number: 1, name: 'one', protocol: 'HTTP' },
          { number: 2, name: 'two', protocol: 'TLS' },
        ],
      },
      { createdAt: 2 },
    );
    const { services, diagnostics } = view([old, young]);
    expect(services).toHaveLength(1);
    expect(services[0]).toMatchObject({
      name: 'old',
      addresses: ['10.0.0.9'],
      autoAddresses: [],
      ports: [
        { port: 1, protocol: 'TCP' },
        { port: 2, protocol: 'TLS' },
      ],
    });
    expect(diagnostics).toMatchObject([
      { code: 'XEB2004', object: { name: 'young' }, path: ['spec', 'ports', 0, 'protocol'], level: 'warning' },
    ]);
  });

  it('is left out, and told so, where it contradicts an older entry of the same host', () => {
    const old = serviceEntry('old', { hosts: ['a.com'] }, { createdAt: 1 });
    const young = serviceEntry(
      'young',
      { hosts: ['a.com'], resolution: 'NONE', ports: [{ number: 1 }] },
      { createdAt: 2 },
    );
    const { services, diagnostics } = view([old, young]);
    expect(services[0]?.ports.map(({ port }) => port)).toEqual([443]);
    expect(diagnostics).toMatchObject([{ code: 'XEB2004', object: { name: 'young' }, path: ['spec', 'resolution'] }]);
  });

  it('does not replace a Kubernetes Service of its host', () => {
    const entry = serviceEntry('a', { hosts: ['reviews.default.svc.cluster.local'] }, { createdAt: 1 });
    const { services, diagnostics } = view([entry, service('reviews')]);
    expect(services).toMatchObject([{ registry: 'Kubernetes', name: 'reviews' }]);
    expect(diagnostics).toMatchObject([{ code: 'XEB2005', level: 'info', object: { kind: 'ServiceEntry' } }]);
  });
});

it('orders services by age and finds them by key and host', () => {
  const objects = [
    service('b', {}, { createdAt: 2 }),
    service('a', {}, { createdAt: 2 }),
    serviceEntry('z/x', {}, { createdAt: 1 }),
    serviceEntry('y/x', {}, { createdAt: 3 }),
  ];
  const { services, servicesByKey, servicesByHostname } = view(objects);
  expect(services.map(({ key }) => key)).toEqual([
    'z/x.example.com',
    'default/a.default.svc.cluster.local',
    'default/b.default.svc.cluster.local',
    'y/x.example.com',
  ]);
  expect(servicesByKey.get(serviceKey('y', 'x.example.com'))).toBe(services[3]);
  expect(servicesByHostname.get('x.example.com')).toEqual([services[0], services[3]]);
});

describe('an ExternalName', () => {
  const external = (name: string, externalName: string, meta?: Meta): ConfigObject<'Service'> =>
    service(name, { type: 'ExternalName', clusterIPs: [], externalName }, meta);
  const local = (name: string): string => `${name}.default.svc.cluster.local`;
  const shown = (...objects: readonly ConfigObject[]): readonly string[] =>
    view(objects).services.map(({ name, resolution, aliases }) =>
      [name, resolution.kind, ...aliases.map(({ origin }) => origin.name)].join(' '),
    );

  it.each<[string, readonly ConfigObject[], readonly string[]]>([
    ['of a host outside the mesh is a service', [external('a', 'x.com')], ['a dns']],
    ['of a service is a name of it', [external('a', local('web')), service('web')], ['web endpoints a']],
    ['may be written as DNS does', [external('a', `${local('Web')}.`), service('web')], ['web endpoints a']],
    [
      'of a name of it, too',
      [external('a', local('b')), external('b', local('web')), service('web')],
      ['web endpoints a b'],
    ],
    ['of a name of a host outside is a name of that', [external('a', local('b')), external('b', 'x.com')], ['b dns a']],
    ['of a ServiceEntry’s host is a name of that', [external('a', 'x.example.com'), serviceEntry('x')], ['x dns a']],
    ['of itself is a service', [external('a', local('a'))], ['a dns']],
    ['in a circle is a service', [external('a', local('b')), external('b', local('a'))], ['a dns', 'b dns']],
  ])('%s', (_, objects, expected) => {
    expect(shown(...objects)).toEqual(expected);
  });

  it('has a visibility of its own', () => {
    const { services } = view([
      service('web'),
      external('a', local('web'), { annotations: { 'networking.istio.io/exportTo': '.' } }),
    ]);
    expect(services[0]?.aliases).toEqual([
      {
        hostname: local('a'),
        visibility: { kind: 'namespaces', namespaces: new Set(['default']) },
        origin: { kind: 'Service', namespace: 'default', name: 'a' },
      },
    ]);
  });

  it('follows what comes and goes', () => {
    const registry = new Registry({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
    const update = (...objects: readonly ConfigObject[]): readonly string[] =>
      registry
        .update(configSnapshot(objects))
        .services.map(({ name, aliases }) => [name, ...aliases.map(({ origin }) => origin.name)].join(' '));
    const [a, b, web, other] = [
      external('a', local('b')),
      external('b', local('web')),
      service('web'),
      service('other'),
    ];
    expect(update(a)).toEqual(['a']);
    expect(update(a, b)).toEqual(['b a']);
    expect(update(a, b, web)).toEqual(['web a b']);
    expect(update(a, b, web, other)).toEqual(['other', 'web a b']);
    expect(update(a, web)).toEqual(['a', 'web']);
    expect(update(a, external('b', local('other')), web, other)).toEqual(['other a b', 'web']);
    expect(update(a, b, other)).toEqual(['b a', 'other']);
  });
});
