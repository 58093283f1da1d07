import { describe, expect, it } from 'vitest';
import { serviceKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Endpoint } from '../../model/service.ts';
import {
  endpointSlice,
  namespace,
  node,
  object,
  pod,
  type SliceEndpointOptions,
  service,
  serviceEntry,
  targetPod,
  workloadEntry,
} from '../../testing/builders.ts';
import { type ConfigOptions, configSnapshot } from '../../testing/config.ts';
import { Registry } from './registry.ts';

const REVIEWS = 'reviews.default.svc.cluster.local';

function endpoints(
  objects: readonly ConfigObject[],
  host = REVIEWS,
  options?: ConfigOptions,
): ReadonlyMap<number, readonly Endpoint[]> | undefined {
  const registry = new Registry({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  return registry.update(configSnapshot(objects, options)).endpoints.get(serviceKey('default', host));
}

function places(objects: readonly ConfigObject[], host = REVIEWS, port = 80): readonly string[] {
  return (endpoints(objects, host)?.get(port) ?? []).map(
    (endpoint) => `${endpoint.address}:${endpoint.port} ${endpoint.health}`,
  );
}

describe('from EndpointSlices', () => {
  it.each<[Readonly<Record<string, string>>, readonly string[]]>([
    [{}, ['istio', 'istio']],
    [{ excludeInboundPorts: '9090, 22' }, ['istio', 'disabled']],
    [{ includeInboundPorts: '8080' }, ['istio', 'disabled']],
    [{ includeInboundPorts: '' }, ['disabled', 'disabled']],
    [{ includeInboundPorts: '*', excludeInboundPorts: '8080' }, ['disabled', 'istio']],
    [{ includeInboundPorts: '8080', excludeInboundPorts: '8080' }, ['istio', 'disabled']],
  ])('a port that its proxy does not serve takes no mutual TLS: %j', (traffic, expected) => {
    const annotations = Object.fromEntries(
      Object.entries(traffic).map(([key, value]) => [`traffic.sidecar.istio.io/${key}`, value]),
    );
    const objects = [
      service('reviews', { ports: [80, 81].map((port) => ({ name: `http-${port}`, port })) }),
      pod('reviews', { ip: '10.1.0.1', labels: { app: 'reviews', 'security.istio.io/tlsMode': 'istio' }, annotations }),
      endpointSlice('reviews', {
        endpoints: [{ address: '10.1.0.1', targetRef: targetPod('reviews') }],
        ports: { 'http-80': 8080, 'http-81': 9090 },
      }),
    ];
    const found = endpoints(objects);
    expect([80, 81].map((port) => found?.get(port)?.[0]?.tlsMode)).toEqual(expected);
  });

  it('takes labels, identity, place and tls mode from the pod', () => {
    const objects = [
      service('reviews'),
      node('n1', { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' }),
      pod('reviews-v1-abc-1', {
        ip: '10.1.0.1',
        nodeName: 'n1',
        serviceAccountName: 'reviews-sa',
        labels: { app: 'reviews', 'pod-template-hash': 'abc', 'security.istio.io/tlsMode': 'istio' },
        owner: { kind: 'ReplicaSet', name: 'reviews-v1-abc', controller: true },
      }),
      endpointSlice('reviews', {
        endpoints: [
          { address: '10.1.0.1', targetRef: targetPod('reviews-v1-abc-1'), nodeName: 'n1', hostname: 'web-0' },
        ],
        ports: { http: 9080 },
      }),
    ];
    expect(endpoints(objects)?.get(80)).toEqual([
      {
        address: '10.1.0.1',
        port: 9080,
        labels: { app: 'reviews', 'pod-template-hash': 'abc', 'security.istio.io/tlsMode': 'istio' },
        serviceAccount: 'reviews-sa',
        network: '',
        locality: { region: 'r', zone: 'z', subzone: '' },
        weight: 1,
        health: 'healthy',
        tlsMode: 'istio',
        namespace: 'default',
        workload: 'reviews-v1',
        node: 'n1',
        hostname: 'web-0',
      },
    ]);
  });

  it('leaves out names, and tells', () => {
    const registry = new Registry({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
    const names = endpointSlice('reviews', { addressType: 'FQDN', endpoints: [{ address: 'api.example.com' }] });
    registry.update(configSnapshot([service('reviews'), names]));
    expect(registry.diagnostics()).toMatchObject([
      { code: 'XEB2007', object: { kind: 'EndpointSlice', name: names.meta.name }, path: ['addressType'] },
    ]);
    registry.update(configSnapshot([service('reviews')]));
    expect(registry.diagnostics()).toEqual([]);
  });

  it('keeps an address that is listed before its pod is known', () => {
    const slice = endpointSlice('reviews', {
      endpoints: [{ address: '10.1.0.9', targetRef: targetPod('late'), nodeName: 'n1', zone: 'z' }],
    });
    expect(endpoints([service('reviews'), slice])?.get(80)).toMatchObject([
      { address: '10.1.0.9', labels: {}, tlsMode: 'disabled', workload: 'late', locality: { region: '', zone: 'z' } },
    ]);
    const n1 = node('n1', { 'failure-domain.beta.kubernetes.io/region': 'r' });
    expect(endpoints([service('reviews'), slice, n1])?.get(80)).toMatchObject([{ locality: { region: 'r' } }]);
  });

  it('knows the pod by address where the slice does not name it', () => {
    const objects = [service('reviews'), pod('p', { ip: '10.1.0.1', labels: { v: '1' } }), endpointSlice('reviews')];
    expect(endpoints(objects)?.get(80)).toMatchObject([{ labels: { v: '1' }, workload: 'p' }]);
  });

  it.each<[Partial<SliceEndpointOptions>, boolean, readonly string[]]>([
    [{}, false, ['10.1.0.1:80 healthy']],
    [{ ready: false, serving: false }, false, []],
    [{ ready: false, serving: true, terminating: true }, false, ['10.1.0.1:80 draining']],
    [{ ready: false, serving: false, terminating: true }, false, []],
    [{ ready: false, serving: true }, false, []],
    [{ ready: false, serving: false }, true, ['10.1.0.1:80 healthy']],
  ])('conditions %j, publishNotReadyAddresses %s', (conditions, publishNotReadyAddresses, expected) => {
    const slice = endpointSlice('reviews', { endpoints: [{ address: '10.1.0.1', ...conditions }] });
    expect(places([service('reviews', { publishNotReadyAddresses }), slice])).toEqual(expected);
  });

  it('joins slices, sorted, each address once', () => {
    const one = endpointSlice('one', {
      service: 'reviews',
      endpoints: ['10.1.0.3', { address: '10.1.0.2', ready: false, terminating: true }],
    });
    const two = endpointSlice('two', { service: 'reviews', endpoints: ['10.1.0.1', '10.1.0.2', '10.1.0.3'] });
    expect(places([service('reviews'), one, two])).toEqual([
      '10.1.0.1:80 healthy',
      '10.1.0.2:80 healthy',
      '10.1.0.3:80 healthy',
    ]);
  });

  it('uses the address family of the service', () => {
    const four = endpointSlice('four', { service: 'reviews' });
    const six = endpointSlice('six', { service: 'reviews', addressType: 'IPv6', endpoints: ['fd00::1'] });
    const names = endpointSlice('names', { service: 'reviews', addressType: 'FQDN', endpoints: ['a.com'] });
    expect(places([service('reviews'), four, six, names])).toEqual(['10.1.0.1:80 healthy']);
    expect(places([service('reviews', { clusterIPs: ['fd00::aa', '10.96.0.1'] }), four, six])).toEqual([
      'fd00::1:80 healthy',
    ]);
    expect(places([service('reviews', { clusterIPs: ['None'] }), six])).toEqual(['fd00::1:80 healthy']);
  });

  it('matches ports by name and leaves UDP out', () => {
    const reviews = service('reviews', {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
        { name: 'c', port: 82, protocol: 'UDP' },
      ],
    });
    const found = endpoints([reviews, endpointSlice('reviews', { ports: { b: 8081, c: 8082 } })]);
    expect([...(found ?? [])].map(([port, list]) => [port, list.map((endpoint) => endpoint.port)])).toEqual([
      [80, []],
      [81, [8081]],
    ]);
  });
});

describe('without EndpointSlices', () => {
  const legacy = object('Endpoints', 'reviews', {
    subsets: [
      {
        addresses: [{ ip: '10.2.0.1', hostname: undefined, nodeName: undefined, targetRef: undefined }],
        notReadyAddresses: [{ ip: '10.2.0.2', hostname: undefined, nodeName: undefined, targetRef: undefined }],
        ports: [{ name: 'http', port: 9080, protocol: 'TCP', appProtocol: undefined }],
      },
    ],
  });

  it('takes Endpoints, which a slice beats', () => {
    expect(places([service('reviews'), legacy])).toEqual(['10.2.0.1:9080 healthy']);
    expect(places([service('reviews', { publishNotReadyAddresses: true }), legacy])).toHaveLength(2);
    expect(places([service('reviews'), legacy, endpointSlice('reviews')])).toEqual(['10.1.0.1:80 healthy']);
  });

  it('selects the pods itself when nobody lists any, by port name too', () => {
    const labels = { app: 'reviews' };
    const objects = [
      service('reviews', { ports: [{ port: 80, targetPort: 'web' }] }),
      pod('ready', { ip: '10.1.0.1', labels, ports: { web: 8080 } }),
      pod('other-port', { ip: '10.1.0.2', labels, ports: { web: 8081 } }),
      pod('no-port', { ip: '10.1.0.3', labels }),
      pod('not-ready', { ip: '10.1.0.4', labels, ports: { web: 8080 }, ready: false }),
      pod('ending', { ip: '10.1.0.5', labels, ports: { web: 8080 } }, { deletedAt: 1 }),
      pod('ended', { ip: '10.1.0.6', labels, ports: { web: 8080 }, phase: 'Succeeded' }),
      pod('pending', { podIPs: [], labels, ports: { web: 8080 }, phase: 'Pending', ready: false }),
      pod('elsewhere/ready', { ip: '10.1.0.7', labels, ports: { web: 8080 } }),
      pod('unselected', { ip: '10.1.0.8', ports: { web: 8080 } }),
    ];
    expect(places(objects)).toEqual(['10.1.0.1:8080 healthy', '10.1.0.2:8081 healthy', '10.1.0.5:8080 draining']);
    expect(places([...objects, endpointSlice('reviews', { endpoints: [], ports: { '': 80 } })])).toEqual([]);
  });

  it('selects no pods for a service without selector', () => {
    expect(places([service('reviews', { selector: {} }), pod('a')])).toEqual([]);
  });
});

it('adds WorkloadEntries that a Kubernetes Service selects, if they have an IP', () => {
  const labels = { app: 'reviews' };
  const objects = [
    service('reviews', { ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
    endpointSlice('reviews'),
    workloadEntry('plain', {
      address: '10.9.0.1',
      labels,
      serviceAccount: 'vm',
      weight: 3,
      locality: 'r/z',
      network: 'net',
    }),
    workloadEntry('mapped', { address: '10.9.0.2', labels, ports: { http: 7000 } }),
    workloadEntry('named', { address: 'vm.example.com', labels }),
    workloadEntry('labelled', { address: '10.9.0.3', labels: { app: 'no' } }, { labels }),
  ];
  expect(places(objects)).toEqual([
    '10.1.0.1:80 healthy',
    '10.9.0.1:8080 healthy',
    '10.9.0.2:7000 healthy',
    '10.9.0.3:8080 healthy',
  ]);
  expect(endpoints(objects)?.get(80)?.[1]).toMatchObject({
    serviceAccount: 'vm',
    tlsMode: 'istio',
    weight: 3,
    locality: { region: 'r', zone: 'z', subzone: '' },
    network: 'net',
    workload: 'plain',
  });
});

it('resolves an ExternalName to its name at every port', () => {
  const external = service('reviews', { type: 'ExternalName', externalName: 'Example.com', ports: [80, 443] });
  expect(places([external], REVIEWS, 443)).toEqual(['example.com:443 healthy']);
});

describe('of a ServiceEntry', () => {
  const host = 'db.example.com';
  const ports = [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }];
  const spec = { hosts: [host], ports };

  it('are those it lists, at their own ports', () => {
    const entry = serviceEntry('db', {
      ...spec,
      resolution: 'STATIC',
      endpoints: [
        { address: '10.0.0.2', ports: { http: 9000 }, labels: { 'security.istio.io/tlsMode': 'istio' } },
        { address: '10.0.0.1', serviceAccount: 'db', weight: 0 },
        { address: 'unix:///run/db.sock' },
        { address: 'not-for-eds.example.com' },
      ],
    });
    expect(endpoints([entry], host)?.get(80)).toMatchObject([
      { address: '10.0.0.1', port: 8080, tlsMode: 'istio', weight: 1, workload: 'db' },
      { address: '10.0.0.2', port: 9000, tlsMode: 'istio', weight: 1 },
      { address: 'unix:///run/db.sock', port: 0, tlsMode: 'disabled' },
    ]);
  });

  it('are the host itself where DNS has none, and none where it has no DNS', () => {
    expect(places([serviceEntry('db', spec)], host)).toEqual([`${host}:8080 healthy`]);
    expect(places([serviceEntry('db', { ...spec, resolution: 'STATIC' })], host)).toEqual([]);
    expect(places([serviceEntry('db', { ...spec, resolution: 'NONE' })], host)).toEqual([]);
    expect(places([serviceEntry('db', { ...spec, endpoints: [{ address: 'a.com' }] })], host)).toEqual([
      'a.com:8080 healthy',
    ]);
  });

  it('are the WorkloadEntries and ready pods of its namespace that it selects', () => {
    const labels = { app: 'db' };
    const objects = [
      serviceEntry('db', { ...spec, resolution: 'STATIC', workloadSelector: { labels } }),
      workloadEntry('vm', { address: '10.9.0.1', labels, ports: { http: 7000 } }),
      workloadEntry('elsewhere/vm', { address: '10.9.0.2', labels }),
      pod('db-1', { ip: '10.1.0.1', labels }),
      pod('db-2', { ip: '10.1.0.2', labels, ready: false }),
    ];
    expect(places(objects, host)).toEqual(['10.1.0.1:8080 healthy', '10.9.0.1:7000 healthy']);
  });

  it('join those of a Kubernetes Service of its host', () => {
    const entry = serviceEntry('vm', {
      hosts: [REVIEWS],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '10.9.0.1' }],
    });
    expect(places([service('reviews'), endpointSlice('reviews'), entry])).toEqual([
      '10.1.0.1:80 healthy',
      '10.9.0.1:80 healthy',
    ]);
  });
});

it('places endpoints in the network of their pod, Kubernetes cluster or address', () => {
  const slice = endpointSlice('reviews', { endpoints: ['10.1.0.1', '10.1.0.2'] });
  const said = pod('p', { ip: '10.1.0.2', labels: { 'topology.istio.io/network': 'said' } });
  const networks = { networks: { block: { endpoints: [{ fromCidr: '10.0.0.0/8' }] } } };
  const networksOf = (objects: readonly ConfigObject[]): readonly (string | undefined)[] =>
    (endpoints(objects, REVIEWS, { networks })?.get(80) ?? []).map(({ network }) => network);
  expect(networksOf([service('reviews'), slice, said])).toEqual(['block', 'said']);
  const root = namespace('istio-system', { 'topology.istio.io/network': 'own' });
  expect(networksOf([service('reviews'), slice, said, root])).toEqual(['own', 'said']);
});
