import { describe, expect, it } from 'vitest';
import type { HttpMatchRequest, VirtualServiceSpec } from '../../apis/networking/networking.ts';
import type { ConfigObject } from '../../model/object.ts';
import { delegate, routeTo, virtualService } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { type BuiltSnapshot, MeshSnapshotBuilder } from './snapshot-builder.ts';

function build(objects: readonly ConfigObject[]): BuiltSnapshot {
  return new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' }).build(
    configSnapshot(objects),
  );
}

it('completes every name with the namespace of the object', () => {
  const spec: VirtualServiceSpec = {
    hosts: ['Reviews', 'a.Example.com', '*', '*.example.org.', '10.0.0.1', 'fd00::1'],
    gateways: ['mesh', 'gw', './own', 'edge/gw', 'gw.edge.svc.cluster.local', 'gw'],
    http: [
      {
        match: [{ gateways: ['gw', 'mesh'] }, { port: 80 }],
        route: [{ destination: { host: 'reviews' } }],
        mirror: { host: 'shadow' },
        mirrors: [{ destination: { host: 'other' } }],
      },
    ],
    tls: [{ match: [{ sniHosts: ['x.com'], gateways: ['gw'] }], route: [{ destination: { host: 'tls' } }] }],
    tcp: [{ route: [{ destination: { host: 'tcp.example.com' } }] }],
  };
  expect(build([virtualService('shop/a', spec)]).snapshot.virtualServices[0]).toMatchObject({
    hosts: ['reviews.shop.svc.cluster.local', 'a.example.com', '*', '*.example.org', '10.0.0.1', 'fd00::1'],
    gateways: ['mesh', 'shop/gw', 'shop/own', 'edge/gw'],
    http: [
      {
        spec: {
          match: [{ gateways: ['shop/gw', 'mesh'] }, { port: 80 }],
          route: [{ destination: { host: 'reviews.shop.svc.cluster.local' } }],
          mirror: { host: 'shadow.shop.svc.cluster.local' },
          mirrors: [{ destination: { host: 'other.shop.svc.cluster.local' } }],
        },
        object: { kind: 'VirtualService', namespace: 'shop', name: 'a' },
        path: 'spec.http[0]',
      },
    ],
    tls: [
      {
        spec: { match: [{ gateways: ['shop/gw'] }], route: [{ destination: { host: 'tls.shop.svc.cluster.local' } }] },
        path: 'spec.tls[0]',
      },
    ],
    tcp: [{ spec: { route: [{ destination: { host: 'tcp.example.com' } }] }, path: 'spec.tcp[0]' }],
  });
});

it('belongs to the mesh when it names no gateway', () => {
  expect(build([virtualService('a')]).snapshot.virtualServices[0]?.gateways).toEqual(['mesh']);
});

it('orders by age, name and namespace', () => {
  const objects = [
    virtualService('b/x'),
    virtualService('a/y'),
    virtualService('c/old', {}, { createdAt: 1 }),
    virtualService('a/x'),
  ];
  expect(build(objects).snapshot.virtualServices.map(({ object }) => object.key)).toEqual([
    'VirtualService/c/old',
    'VirtualService/a/x',
    'VirtualService/b/x',
    'VirtualService/a/y',
  ]);
});

describe('delegation', () => {
  it('puts the delegate’s rules in place, each with its own origin', () => {
    const root = virtualService('root', {
      http: [
        {
          name: 'r',
          match: [{ uri: { prefix: '/a' } }],
          delegate: { name: 'leaf', namespace: 'team' },
          timeout: '5s',
          retries: { attempts: 3 },
        },
        routeTo('rest'),
      ],
    });
    const leaf = delegate('team/leaf', {
      http: [routeTo('one', {}, { name: 'l', match: [{ uri: { prefix: '/a/b' } }], timeout: '1s' }), routeTo('two')],
    });
    const { snapshot, diagnostics } = build([root, leaf]);
    expect(diagnostics).toEqual([]);
    expect(snapshot.virtualServices.map(({ object }) => object.meta.name)).toEqual(['root']);
    expect(snapshot.virtualServices[0]?.http).toEqual([
      {
        spec: {
          name: 'r-l',
          match: [{ uri: { prefix: '/a/b' } }],
          route: [{ destination: { host: 'one.team.svc.cluster.local' } }],
          timeout: '1s',
          retries: { attempts: 3 },
        },
        object: { kind: 'VirtualService', namespace: 'team', name: 'leaf' },
        path: 'spec.http[0]',
      },
      {
        spec: {
          name: 'r',
          match: [{ uri: { prefix: '/a' } }],
          route: [{ destination: { host: 'two.team.svc.cluster.local' } }],
          timeout: '5s',
          retries: { attempts: 3 },
        },
        object: { kind: 'VirtualService', namespace: 'team', name: 'leaf' },
        path: 'spec.http[1]',
      },
      {
        spec: { route: [{ destination: { host: 'rest.default.svc.cluster.local' } }] },
        object: { kind: 'VirtualService', namespace: 'default', name: 'root' },
        path: 'spec.http[1]',
      },
    ]);
  });

  const rooted = virtualService('root', { http: [{ delegate: { name: 'leaf' } }, routeTo('rest')] });

  it.each<[string, readonly ConfigObject[], readonly string[]]>([
    ['is missing', [], ['IST0101 root spec.http.0.delegate']],
    ['has hosts', [virtualService('leaf')], ['XEB2001 root spec.http.0.delegate']],
    [
      'delegates to itself',
      [virtualService('leaf', { http: [{ delegate: { name: 'leaf' } }] })],
      ['XEB2001 leaf spec.http.0.delegate', 'XEB2001 root spec.http.0.delegate'],
    ],
    [
      'is not exported',
      [delegate('leaf', { http: [routeTo('a')], exportTo: ['elsewhere'] })],
      ['XEB2001 root spec.http.0.delegate'],
    ],
    [
      'delegates again',
      [delegate('leaf', { http: [{ delegate: { name: 'leaf' } }] })],
      ['XEB2001 leaf spec.http.0.delegate'],
    ],
  ])('drops the rule and says so when the delegate %s', (_, objects, expected) => {
    const { snapshot, diagnostics } = build([rooted, ...objects]);
    const root = snapshot.virtualServices.find(({ object }) => object.meta.name === 'root');
    expect(root?.http.map(({ path }) => path)).toEqual(['spec.http[1]']);
    expect(diagnostics.map(({ code, object, path }) => `${code} ${object?.name} ${path.join('.')}`)).toEqual(expected);
  });

  /** What requests reach a delegate's rule: `undefined` if none can. */
  function merged(
    root: readonly HttpMatchRequest[] | undefined,
    leaf: readonly HttpMatchRequest[] | undefined,
  ): unknown {
    const objects = [
      virtualService('root', {
        http: [{ delegate: { name: 'leaf' }, ...(root === undefined ? {} : { match: root }) }],
      }),
      delegate('leaf', { http: [routeTo('a', {}, leaf === undefined ? {} : { match: leaf })] }),
    ];
    const { snapshot, diagnostics } = build(objects);
    const route = snapshot.virtualServices[0]?.http[0];
    expect(diagnostics.map(({ code }) => code)).toEqual(route === undefined ? ['XEB2002'] : []);
    return route?.spec.match;
  }

  it.each<[string, readonly HttpMatchRequest[] | undefined, readonly HttpMatchRequest[] | undefined, unknown]>([
    ['neither matches', undefined, undefined, []],
    ['only the root matches', [{ port: 80 }], undefined, [{ port: 80 }]],
    ['only the leaf matches', undefined, [{ port: 80 }], [{ port: 80 }]],
    ['prefix in prefix', [{ uri: { prefix: '/a' } }], [{ uri: { prefix: '/a/b' } }], [{ uri: { prefix: '/a/b' } }]],
    ['exact in prefix', [{ uri: { prefix: '/a' } }], [{ uri: { exact: '/a/b' } }], [{ uri: { exact: '/a/b' } }]],
    ['prefix outside prefix', [{ uri: { prefix: '/a/b' } }], [{ uri: { prefix: '/a' } }], undefined],
    ['prefix in exact', [{ uri: { exact: '/a' } }], [{ uri: { prefix: '/a' } }], undefined],
    ['equal exact', [{ method: { exact: 'GET' } }], [{ method: { exact: 'GET' } }], [{ method: { exact: 'GET' } }]],
    ['other exact', [{ method: { exact: 'GET' } }], [{ method: { exact: 'PUT' } }], undefined],
    ['regex beside anything', [{ uri: { regex: '/a.*' } }], [{ uri: { exact: '/a' } }], undefined],
    ['anything beside regex', [{ uri: { prefix: '/' } }], [{ uri: { regex: '/a.*' } }], undefined],
    ['regex alone', [{ uri: { regex: '/a.*' } }], [{ port: 80 }], [{ uri: { regex: '/a.*' }, port: 80 }]],
    ['case of the uri', [{ uri: { prefix: '/a' }, ignoreUriCase: true }], [{ uri: { prefix: '/a/b' } }], undefined],
    [
      'case goes with the uri',
      [{ uri: { prefix: '/a' }, ignoreUriCase: true }],
      [{ port: 80 }],
      [{ uri: { prefix: '/a' }, ignoreUriCase: true, port: 80 }],
    ],
    [
      'maps add up',
      [{ headers: { a: { exact: '1' } }, sourceLabels: { x: '1' } }],
      [{ headers: { b: { exact: '2' } }, sourceLabels: { y: '2' } }],
      [{ headers: { a: { exact: '1' }, b: { exact: '2' } }, sourceLabels: { x: '1', y: '2' } }],
    ],
    [
      'presence, narrowed',
      [{ headers: { a: {} } }],
      [{ headers: { a: { exact: '1' } } }],
      [{ headers: { a: { exact: '1' } } }],
    ],
    ['other header', [{ headers: { a: { exact: '1' } } }], [{ headers: { a: { exact: '2' } } }], undefined],
    [
      'other absent header',
      [{ withoutHeaders: { a: { exact: '1' } } }],
      [{ withoutHeaders: { a: { exact: '2' } } }],
      undefined,
    ],
    ['other parameter', [{ queryParams: { a: { exact: '1' } } }], [{ queryParams: { a: { exact: '2' } } }], undefined],
    ['other label', [{ sourceLabels: { x: '1' } }], [{ sourceLabels: { x: '2' } }], undefined],
    ['other port', [{ port: 80 }], [{ port: 81 }], undefined],
    ['other namespace', [{ sourceNamespace: 'a' }], [{ sourceNamespace: 'b' }], undefined],
    ['fewer gateways', [{ gateways: ['x/a', 'mesh'] }], [{ gateways: ['mesh'] }], [{ gateways: ['mesh'] }]],
    ['more gateways', [{ gateways: ['mesh'] }], [{ gateways: ['x/a', 'mesh'] }], undefined],
    ['names join', [{ name: 'r', port: 80 }], [{ name: 'l' }], [{ name: 'r-l', port: 80 }]],
    [
      'each with each',
      [{ port: 80 }, { port: 81 }],
      [{ port: 80 }, { method: { exact: 'GET' } }],
      [{ port: 80 }, { port: 80, method: { exact: 'GET' } }, { port: 81, method: { exact: 'GET' } }],
    ],
    ['one without partner', [{ port: 80 }], [{ port: 80 }, { port: 81 }], undefined],
  ])('%s', (_, root, leaf, expected) => {
    expect(merged(root, leaf)).toEqual(expected);
  });
});
