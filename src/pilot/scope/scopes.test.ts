import { describe, expect, it } from 'vitest';
import type { SpecByKind } from '../../apis/collections.ts';
import type { EgressListener } from '../../apis/networking/networking.ts';
import { serviceKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import { destinationRule, routeTo, service, serviceEntry, sidecar, virtualService } from '../../testing/builders.ts';
import { type ConfigOptions, configSnapshot, meshConfig, nextConfig } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import type { SidecarScope } from './scope.ts';
import { Scopes } from './scopes.ts';
import { destinationRulesFor } from './workload-rules.ts';

const options = { domainSuffix: 'cluster.local', clusterId: 'Kubernetes' };

type Client = { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };

function client(namespace: string, labels: Client['labels'] = {}): Client {
  return { namespace, labels };
}

function scopeOf(
  objects: readonly ConfigObject[],
  proxy: Client = client('default'),
  config?: ConfigOptions,
): SidecarScope {
  const { snapshot } = new MeshSnapshotBuilder(options).build(configSnapshot(objects, config));
  return new Scopes().sidecarScopeFor(snapshot, proxy);
}

function hosts(
  services: readonly { readonly hostname: string; readonly namespace: string }[] | undefined,
): readonly string[] {
  return (services ?? []).map(
    ({ hostname, namespace }) => `${hostname.replace('.svc.cluster.local', '')} of ${namespace}`,
  );
}

function names(virtualServices: SidecarScope['egress'][number]['virtualServices'] | undefined): readonly string[] {
  return (virtualServices ?? []).map(({ object: { meta } }) => `${meta.namespace}/${meta.name}`);
}

const exportTo = (list: string): object => ({ annotations: { 'networking.istio.io/exportTo': list } });

describe('the default scope', () => {
  it('has everything that is visible, and the mesh’s policy', () => {
    const objects = [
      service('a/public'),
      service('a/private', {}, exportTo('.')),
      service('b/shared', {}, exportTo('default,c')),
      service('default/own', {}, exportTo('.')),
      virtualService('a/public'),
      virtualService('a/private', { exportTo: ['.'] }),
      virtualService('a/edge', { gateways: ['gw'] }),
      virtualService('a/both', { gateways: ['gw', 'mesh'] }),
    ];
    const scope = scopeOf(objects);
    expect(hosts(scope.services)).toEqual(['public.a of a', 'shared.b of b', 'own.default of default']);
    expect(scope.egress).toHaveLength(1);
    expect(scope.egress[0]).toMatchObject({
      listener: undefined,
      port: undefined,
      bind: undefined,
      captureMode: 'DEFAULT',
    });
    expect(scope.egress[0]?.services).toBe(scope.services);
    expect(names(scope.egress[0]?.virtualServices)).toEqual(['a/both', 'a/public']);
    expect(scope).toMatchObject({ namespace: 'default', sidecar: undefined, ingress: undefined });
    expect(scope.outboundTrafficPolicy).toEqual({ mode: 'ALLOW_ANY', egressProxy: undefined });
    const mesh = meshConfig({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } });
    expect(scopeOf([], client('x'), { mesh }).outboundTrafficPolicy.mode).toBe('REGISTRY_ONLY');
  });

  it('has each host once: the own namespace’s, else the oldest', () => {
    const entry = (name: string, createdAt: number): ConfigObject => serviceEntry(`${name}/x`, {}, { createdAt });
    const objects = [entry('b', 1), entry('a', 2), entry('default', 3)];
    expect(hosts(scopeOf(objects).services)).toEqual(['x.example.com of default']);
    expect(hosts(scopeOf(objects, client('other')).services)).toEqual(['x.example.com of b']);
    expect(hosts(scopeOf(objects, client('a')).services)).toEqual(['x.example.com of a']);
  });
});

describe('a Sidecar', () => {
  const chosen = (objects: readonly ConfigObject[], proxy: Client): string | undefined =>
    scopeOf(objects, proxy).sidecar?.key;
  const selecting = (labels: Readonly<Record<string, string>>): SpecByKind['Sidecar'] => ({
    workloadSelector: { labels },
  });

  it('is chosen by labels, then for its namespace, then for the mesh, the oldest first', () => {
    const objects = [
      sidecar('default/young', selecting({ app: 'a' }), { createdAt: 2 }),
      sidecar('default/old', selecting({ app: 'a' }), { createdAt: 1 }),
      sidecar('default/all-young', {}, { createdAt: 2 }),
      sidecar('default/all-old', selecting({}), { createdAt: 1 }),
      sidecar('istio-system/mesh'),
      sidecar('istio-system/own', selecting({ app: 'a' })),
    ];
    expect(chosen(objects, client('default', { app: 'a', v: '1' }))).toBe('Sidecar/default/old');
    expect(chosen(objects, client('default', { app: 'b' }))).toBe('Sidecar/default/all-old');
    expect(chosen(objects, client('other', { app: 'a' }))).toBe('Sidecar/istio-system/mesh');
    expect(chosen(objects.slice(0, 2), client('default', { app: 'b' }))).toBeUndefined();
  });

  const objects = [
    service('default/own'),
    service('a/one', { ports: [80, 443] }),
    service('a/two'),
    service('b/one'),
    service('b/hidden', {}, exportTo('.')),
    serviceEntry('b/wild', { hosts: ['*.example.com'], resolution: 'NONE' }),
    virtualService('a/one', { hosts: ['one.a.svc.cluster.local'] }),
    virtualService('b/two', { hosts: ['two.a.svc.cluster.local'] }),
    virtualService('b/wild', { hosts: ['api.example.com'] }),
  ];

  it.each<[readonly string[], readonly string[], readonly string[]]>([
    [
      ['*/*'],
      ['one.a of a', 'two.a of a', '*.example.com of b', 'one.b of b', 'own.default of default'],
      ['a/one', 'b/two', 'b/wild'],
    ],
    [['./*'], ['own.default of default'], []],
    [['a/*'], ['one.a of a', 'two.a of a'], ['a/one']],
    [['b/*'], ['*.example.com of b', 'one.b of b'], ['b/two', 'b/wild']],
    [['*/one.a.svc.cluster.local'], ['one.a of a'], ['a/one']],
    [['b/one.a.svc.cluster.local'], [], []],
    [['*/*.a.svc.cluster.local'], ['one.a of a', 'two.a of a'], ['a/one', 'b/two']],
    // Hosts meet where some name is covered by both.
    [['*/api.example.com'], ['*.example.com of b'], ['b/wild']],
    [['~/*'], [], []],
    [['./*', 'a/two.a.svc.cluster.local'], ['two.a of a', 'own.default of default'], []],
  ])('with egress %j imports %j', (egressHosts, services, virtualServices) => {
    const scope = scopeOf([...objects, sidecar('default/s', { egress: [{ hosts: egressHosts }] })]);
    expect(hosts(scope.egress[0]?.services)).toEqual(services);
    expect(names(scope.egress[0]?.virtualServices)).toEqual(virtualServices);
  });

  it('of the root namespace means the workload’s namespace by a dot', () => {
    const mesh = sidecar('istio-system/mesh', { egress: [{ hosts: ['./*'] }] });
    expect(hosts(scopeOf([...objects, mesh], client('a')).services)).toEqual(['one.a of a', 'two.a of a']);
  });

  it('without egress imports everything', () => {
    const scope = scopeOf([...objects, sidecar('default/s', { ingress: [{ port: { number: 80 } }] })]);
    expect(scope.services).toHaveLength(5);
    expect(scope.ingress).toEqual([{ port: { number: 80 } }]);
  });

  it('restricts a listener with a port to services that have it, and these to the ports imported', () => {
    const egress = [
      {
        port: { number: 443, protocol: 'HTTPS', name: 'tls' },
        bind: '127.0.0.1',
        captureMode: 'NONE' as const,
        hosts: ['a/*'],
      },
      { hosts: ['b/one.b.svc.cluster.local'] },
    ];
    const scope = scopeOf([...objects, sidecar('default/s', { egress })]);
    expect(scope.egress[0]).toMatchObject({
      port: { number: 443, protocol: 'HTTPS', name: 'tls' },
      bind: '127.0.0.1',
      captureMode: 'NONE',
      listener: { path: 'spec.egress[0]', object: { kind: 'Sidecar', name: 's' } },
    });
    expect(hosts(scope.egress[0]?.services)).toEqual(['one.a of a']);
    expect(hosts(scope.services)).toEqual(['one.a of a', 'one.b of b']);
    expect(scope.services[0]?.ports.map(({ port }) => port)).toEqual([443]);
    expect(scope.egress[0]?.services[0]).toBe(scope.services[0]);
  });

  it('joins the ports that its listeners import', () => {
    const on = (number: number): EgressListener => ({
      port: { number, protocol: 'HTTP', name: 'x' },
      hosts: ['a/one.a.svc.cluster.local'],
    });
    const three = [service('a/one', { ports: [80, 443, 8080] })];
    const egress = (...listeners: readonly EgressListener[]): ConfigObject =>
      sidecar('default/s', { egress: listeners });
    const ports = (scope: SidecarScope): readonly number[] =>
      scope.services.flatMap((found) => found.ports.map(({ port }) => port));
    expect(ports(scopeOf([...three, egress(on(443), on(80))]))).toEqual([80, 443]);
    expect(ports(scopeOf([...three, egress(on(443), { hosts: ['*/*'] })]))).toEqual([80, 443, 8080]);
  });

  it('has clusters, and nothing else, for where its routes lead', () => {
    const route = virtualService('default/own', {
      hosts: ['own'],
      http: [
        { ...routeTo('one.a.svc.cluster.local', { port: 443 }), mirror: { host: 'one.b.svc.cluster.local' } },
        routeTo('hidden.b.svc.cluster.local'),
      ],
    });
    const scope = scopeOf([...objects, route, sidecar('default/s', { egress: [{ hosts: ['./*'] }] })]);
    expect(hosts(scope.egress[0]?.services)).toEqual(['own.default of default']);
    expect(hosts(scope.services)).toEqual(['one.a of a', 'one.b of b', 'own.default of default']);
    expect(scope.services[0]?.ports.map(({ port }) => port)).toEqual([443]);
  });

  it('has clusters for all ports that its routes name, and for its egress proxy', () => {
    const route = virtualService('default/own', {
      hosts: ['one.a.svc.cluster.local'],
      http: [routeTo('one.a.svc.cluster.local', { port: 80 }), routeTo('one.a.svc.cluster.local', { port: 443 })],
    });
    const egress = [
      { port: { number: 80, protocol: 'HTTP', name: 'http' }, hosts: ['a/one.a.svc.cluster.local', './*'] },
    ];
    const egressProxy = { host: 'one.b.svc.cluster.local', port: { number: 80 } };
    const spec = { egress, outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy } } as const;
    const { services } = scopeOf([...objects, route, sidecar('default/s', spec)]);
    expect(services.map(({ hostname, ports }) => [hostname, ...ports.map(({ port }) => port)])).toEqual([
      ['one.a.svc.cluster.local', 80, 443],
      ['one.b.svc.cluster.local', 80],
      ['own.default.svc.cluster.local', 80],
    ]);
  });

  it('imports one service per host, the own namespace’s first', () => {
    const entries = [
      serviceEntry('a/x', {}, { createdAt: 1 }),
      serviceEntry('b/x', {}, { createdAt: 2 }),
      serviceEntry('default/x', {}, { createdAt: 3 }),
    ];
    const imported = (...list: readonly string[]): readonly string[] =>
      hosts(scopeOf([...entries, sidecar('default/s', { egress: [{ hosts: [...list] }] })]).services);
    expect(imported('a/*', './*')).toEqual(['x.example.com of default']);
    expect(imported('b/*', 'a/*')).toEqual(['x.example.com of a']);
    expect(imported('b/*')).toEqual(['x.example.com of b']);
  });

  it('has a policy as soon as it says one, even an empty one', () => {
    const policy = (spec: SpecByKind['Sidecar']): unknown =>
      scopeOf([sidecar('default/s', spec)]).outboundTrafficPolicy;
    expect(policy({})).toEqual({ mode: 'ALLOW_ANY', egressProxy: undefined });
    expect(policy({ outboundTrafficPolicy: {} })).toEqual({ mode: 'REGISTRY_ONLY', egressProxy: undefined });
    const egressProxy = { host: 'proxy.a.svc.cluster.local' };
    expect(policy({ outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy } })).toEqual({
      mode: 'ALLOW_ANY',
      egressProxy,
    });
  });
});

describe('the rule for a service', () => {
  const key = serviceKey('a', 'x.a.svc.cluster.local');
  const host = 'x.a.svc.cluster.local';

  function rule(rules: readonly ConfigObject[], namespace = 'client'): string | undefined {
    return scopeOf([service('a/x'), ...rules], client(namespace)).destinationRules.get(key)?.origins[0]?.name;
  }

  const own = destinationRule('client/own', { host: '*.svc.cluster.local' });
  const exported = destinationRule('a/exported', { host });
  const kept = destinationRule('a/kept', { host, exportTo: ['.'] }, { createdAt: 1 });
  const named = destinationRule('a/named', { host, exportTo: ['client'] }, { createdAt: 1 });
  const root = destinationRule('istio-system/root', { host: '*' });
  const rootKept = destinationRule('istio-system/root-kept', { host, exportTo: ['.'] });
  const stranger = destinationRule('b/stranger', { host });

  it('is the client’s, then the service’s, then the root namespace’s', () => {
    expect(rule([own, exported, root, stranger])).toBe('own');
    expect(rule([exported, root, stranger])).toBe('exported');
    expect(rule([root, stranger])).toBe('root');
    expect(rule([stranger])).toBeUndefined();
  });

  it('is not one that is not exported to the client', () => {
    expect(rule([kept, root])).toBe('root');
    expect(rule([rootKept])).toBeUndefined();
    expect(rule([kept], 'a')).toBe('kept');
    expect(rule([named, exported])).toBe('named');
    expect(rule([named, exported], 'other')).toBe('exported');
  });

  it('is the service’s before the own one for clients of the root namespace', () => {
    expect(rule([root, exported], 'istio-system')).toBe('exported');
    expect(rule([rootKept], 'istio-system')).toBe('root-kept');
  });

  it('is that of the most specific host', () => {
    const wide = destinationRule('a/wide', { host: '*.svc.cluster.local' }, { createdAt: 1 });
    const narrow = destinationRule('a/narrow', { host: '*.a.svc.cluster.local' }, { createdAt: 2 });
    expect(rule([wide, narrow])).toBe('narrow');
    expect(rule([wide, narrow, exported])).toBe('exported');
  });

  it('for chosen workloads goes before the one for all, in their own namespace', () => {
    const forApp = destinationRule('client/for-app', { host, workloadSelector: { matchLabels: { app: 'a' } } });
    const elsewhere = destinationRule('a/for-app', { host, workloadSelector: { matchLabels: { app: 'a' } } });
    const scope = scopeOf([service('a/x'), service('a/y'), forApp, elsewhere, exported], client('client'));
    const found = (app: string): unknown => destinationRulesFor(scope, { app }).get(key)?.origins[0]?.name;
    expect(found('a')).toBe('for-app');
    expect(found('b')).toBe('exported');
    expect(destinationRulesFor(scope, { app: 'b' })).toBe(scope.destinationRules);
    expect(destinationRulesFor(scope, { app: 'a' })).toBe(destinationRulesFor(scope, { app: 'a', v: '2' }));
    expect(scopeOf([service('a/x'), exported], client('client')).workloadRules.size).toBe(0);
  });
});

describe('from one snapshot to the next', () => {
  const base = [
    service('a/x'),
    service('b/y'),
    service('b/private', {}, exportTo('.')),
    virtualService('a/x'),
    virtualService('b/private', { exportTo: ['.'] }),
    destinationRule('a/x', { host: 'x.a.svc.cluster.local' }),
    destinationRule('b/private', { host: 'y.b.svc.cluster.local', exportTo: ['.'] }),
    sidecar('c/narrow', { egress: [{ hosts: ['a/*'] }] }),
  ];

  function edit(
    ...upserts: readonly ConfigObject[]
  ): (namespace: string) => { readonly before: SidecarScope; readonly after: SidecarScope } {
    const builder = new MeshSnapshotBuilder(options);
    const scopes = new Scopes();
    const config = configSnapshot(base);
    const first = builder.build(config).snapshot;
    const clients = ['a', 'b', 'c', 'd'];
    const before = new Map(clients.map((namespace) => [namespace, scopes.sidecarScopeFor(first, client(namespace))]));
    const second = builder.build(nextConfig(config, { upserts })).snapshot;
    return (namespace) => ({
      before: before.get(namespace)!,
      after: scopes.sidecarScopeFor(second, client(namespace)),
    });
  }

  it('a scope that does not see the change is the same object', () => {
    const privateChange = edit(
      service('b/private', { ports: [81] }, exportTo('.')),
      virtualService('b/private', { exportTo: ['.'], hosts: ['z'] }),
    );
    for (const namespace of ['a', 'c', 'd']) {
      const { before, after } = privateChange(namespace);
      expect(after, namespace).toBe(before);
    }
    expect(privateChange('b').after).not.toBe(privateChange('b').before);
    const farChange = edit(
      service('b/y', { ports: [81] }),
      virtualService('b/new'),
      destinationRule('b/y', { host: 'y.b.svc.cluster.local' }),
    );
    expect(farChange('c').after).toBe(farChange('c').before);
    expect(farChange('a').after).not.toBe(farChange('a').before);
  });

  it('one that sees it keeps its other lists', () => {
    const { before, after } = edit(virtualService('a/x', { hosts: ['other'] }))('d');
    expect(after).not.toBe(before);
    expect(after.services).toBe(before.services);
    expect(after.destinationRules).toBe(before.destinationRules);
    expect(after.egress[0]?.services).toBe(before.egress[0]?.services);
    expect(after.egress[0]?.virtualServices).not.toBe(before.egress[0]?.virtualServices);
    const ruled = edit(destinationRule('a/x', { host: 'x.a.svc.cluster.local', subsets: [{ name: 'v1' }] }))('d');
    expect(ruled.after.egress).toBe(ruled.before.egress);
    expect(ruled.after.destinationRules).not.toBe(ruled.before.destinationRules);
  });

  it('forgets what no proxy needs', () => {
    const { snapshot } = new MeshSnapshotBuilder(options).build(configSnapshot(base));
    const scopes = new Scopes();
    const [kept, gone] = [client('a'), client('b')].map((proxy) => scopes.sidecarScopeFor(snapshot, proxy));
    scopes.retain(snapshot, [{ ...client('a'), kind: 'sidecar' }]);
    expect(scopes.sidecarScopeFor(snapshot, client('a'))).toBe(kept);
    expect(scopes.sidecarScopeFor(snapshot, client('b'))).not.toBe(gone);
  });
});
