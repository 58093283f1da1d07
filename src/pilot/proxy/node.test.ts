import { describe, expect, test } from 'vitest';
import type { NodeInfo } from '../../xds/node.ts';
import { parseProxy } from './node.ts';

const id = 'sidecar~10.1.1.1~reviews-v1.shop~shop.svc.cluster.local';

function nodeOf(overrides: Partial<NodeInfo> = {}): NodeInfo {
  const locality = { region: '', zone: '', subZone: '' };
  const envoy = { cluster: 'reviews', userAgentName: 'envoy', userAgentVersion: '1.40.0', clientFeatures: [] };
  return { id, metadata: {}, locality, ...envoy, ...overrides };
}

function parse(metadata: NodeInfo['metadata'] = {}, overrides: Partial<NodeInfo> = {}) {
  const proxy = parseProxy(nodeOf({ metadata, ...overrides }));
  if (!proxy.ok) throw new Error(proxy.error);
  return proxy.value;
}

function errorOf(overrides: Partial<NodeInfo>): string {
  const proxy = parseProxy(nodeOf(overrides));
  return proxy.ok ? '' : proxy.error;
}

describe('a node', () => {
  test('without metadata is what its id says', () => {
    expect(parse()).toMatchObject({
      id,
      kind: 'sidecar',
      addresses: ['10.1.1.1'],
      name: 'reviews-v1.shop',
      namespace: 'shop',
      dnsDomain: 'shop.svc.cluster.local',
      labels: {},
      serviceAccount: '',
      locality: undefined,
      network: '',
      clusterId: '',
      interception: 'REDIRECT',
      dnsCapture: false,
      http10: false,
      metadata: {},
    });
  });

  test('with metadata is what these say', () => {
    const metadata = {
      NAMESPACE: 'store',
      LABELS: { app: 'reviews', version: 'v1', count: 3 },
      SERVICE_ACCOUNT: 'bookinfo',
      NETWORK: 'west',
      CLUSTER_ID: 'Kubernetes',
      INTERCEPTION_MODE: 'TPROXY',
      DNS_CAPTURE: 'true',
      HTTP10: '1',
    };
    const locality = { region: 'r', zone: 'z', subZone: 's' };
    expect(parse(metadata, { locality })).toMatchObject({
      namespace: 'store',
      labels: { app: 'reviews', version: 'v1' },
      serviceAccount: 'bookinfo',
      network: 'west',
      clusterId: 'Kubernetes',
      interception: 'TPROXY',
      dnsCapture: true,
      http10: true,
      locality: { region: 'r', zone: 'z', subzone: 's' },
      metadata,
    });
  });

  test.each([
    ['router', {}, 'router'],
    ['sidecar', { GENERATOR: 'grpc' }, 'proxyless'],
    ['router', { GENERATOR: 'grpc' }, 'proxyless'],
    ['sidecar', { GENERATOR: 'api' }, 'sidecar'],
  ])('%s with %j is a %s', (type, metadata, kind) => {
    expect(parse(metadata, { id: `${type}~10.1.1.1~a.b~b.svc.cluster.local` }).kind).toBe(kind);
  });

  test.each([
    ['its pod’s addresses', '10.1.1.1,fd00::1', ['10.1.1.1', 'fd00::1']],
    ['that of its id where one of them is none', '10.1.1.1,localhost', ['10.1.1.1']],
    ['that of its id where there are none', '', ['10.1.1.1']],
    ['that of its id where they are no text', ['10.2.2.2'], ['10.1.1.1']],
    ['others than its id says', '10.2.2.2', ['10.2.2.2']],
    ['that of its id where there are too many', '10.2.2.2,'.repeat(64) + '10.2.2.2', ['10.1.1.1']],
  ])('has %s', (_, listed, addresses) => {
    expect(parse({ INSTANCE_IPS: listed }).addresses).toEqual(addresses);
  });

  test('may leave its address to INSTANCE_IPS, and be of IPv6', () => {
    const without = 'sidecar~~reviews.shop~shop.svc.cluster.local';
    expect(parse({ INSTANCE_IPS: '10.1.1.1' }, { id: without }).addresses).toEqual(['10.1.1.1']);
    expect(parse({}, { id: 'sidecar~fd00::1~reviews.shop~d' }).addresses).toEqual(['fd00::1']);
  });

  test.each([
    [{ NAMESPACE: 'a', CONFIG_NAMESPACE: 'b' }, 'a'],
    [{ CONFIG_NAMESPACE: 'b' }, 'b'],
    [{ NAMESPACE: '' }, 'shop'],
    [{ NAMESPACE: 7 }, 'shop'],
  ])('with %j is of namespace %s', (metadata, namespace) => {
    expect(parse(metadata).namespace).toBe(namespace);
  });

  test('without a domain is of the namespace default', () => {
    expect(parse({}, { id: 'sidecar~10.1.1.1~a~' }).namespace).toBe('default');
  });

  test('metadata of other kinds than Istio’s count for nothing', () => {
    const odd = {
      LABELS: ['app'],
      SERVICE_ACCOUNT: { name: 'a' },
      NETWORK: 3,
      CLUSTER_ID: null,
      INTERCEPTION_MODE: 'SOMEHOW',
      DNS_CAPTURE: 'yes',
      HTTP10: 1,
    };
    const plain = parse();
    expect(parse(odd)).toEqual({ ...plain, metadata: odd });
    expect(parse({ LABELS: 'app=x' }).labels).toEqual({});
    expect(parse({ LABELS: null }).labels).toEqual({});
  });

  test('labels of hostile names are labels like any other', () => {
    const labels = parse({ LABELS: JSON.parse('{"__proto__": "x", "constructor": "y"}') as unknown }).labels;
    expect(Object.entries(labels)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(labels)).toBe(Object.prototype);
  });
});

describe('an id that is none', () => {
  test.each([
    ['', 'node id "" must have four parts: type~ip~name.namespace~domain'],
    ['sidecar~10.1.1.1~a', 'node id "sidecar~10.1.1.1~a" must have four parts: type~ip~name.namespace~domain'],
    ['sidecar~10.1.1.1~a~b~c', 'node id "sidecar~10.1.1.1~a~b~c" must have four parts: type~ip~name.namespace~domain'],
    ['ztunnel~10.1.1.1~a.b~c', 'node type "ztunnel" must be sidecar or router'],
    ['__proto__~10.1.1.1~a.b~c', 'node type "__proto__" must be sidecar or router'],
    ['sidecar~10.1.1~a.b~c', 'node id "sidecar~10.1.1~a.b~c": "10.1.1" is no IP address'],
    ['sidecar~10.1.1.1/8~a.b~c', 'node id "sidecar~10.1.1.1/8~a.b~c": "10.1.1.1/8" is no IP address'],
    ['sidecar~~a.b~c', 'node id "sidecar~~a.b~c": "" is no IP address'],
  ])('%j is told why', (wrong, message) => {
    expect(errorOf({ id: wrong })).toBe(message);
  });

  test('a long one is not told in full, nor are its control characters', () => {
    expect(errorOf({ id: 'x'.repeat(100_000) }).length).toBeLessThan(300);
    expect(errorOf({ id: 'a\n\u001b[31m' })).toContain('\\n\\u001b');
    expect(errorOf({ id: `sidecar~${'1'.repeat(100_000)}~a.b~c` }).length).toBeLessThan(500);
    expect(errorOf({ id: `${'t'.repeat(100_000)}~1.1.1.1~a.b~c` }).length).toBeLessThan(500);
  });
});
