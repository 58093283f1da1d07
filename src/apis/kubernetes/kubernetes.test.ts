import { describe, expect, it } from 'vitest';
import { collections, type Kind, type SpecByKind } from '../collections.ts';
import { renderIssue } from '../testing/judge.ts';

function read<K extends Kind>(kind: K, object: object): SpecByKind[K] | undefined {
  return collections[kind].parse(object).spec;
}

describe('Service', () => {
  it('keeps what a control plane reads, flat', () => {
    const spec = read('Service', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', managedFields: [] },
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1', 'fd00::1'],
        ports: [{ name: 'http', port: 80, targetPort: 'web', appProtocol: 'http2', nodePort: 30_080, unknown: 1 }],
        selector: { app: 'a' },
        externalIPs: ['1.2.3.4'],
        trafficDistribution: 'PreferClose',
        publishNotReadyAddresses: true,
      },
      status: { loadBalancer: { ingress: [{ ip: '5.6.7.8' }, { hostname: 'lb.example.com' }] } },
    });
    expect(spec).toEqual({
      type: 'LoadBalancer',
      clusterIPs: ['10.0.0.1', 'fd00::1'],
      ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP', appProtocol: 'http2', nodePort: 30_080 }],
      selector: { app: 'a' },
      externalName: undefined,
      externalIPs: ['1.2.3.4'],
      trafficDistribution: 'PreferClose',
      internalTrafficPolicy: undefined,
      sessionAffinity: undefined,
      publishNotReadyAddresses: true,
      loadBalancerIngress: [
        { ip: '5.6.7.8', hostname: undefined },
        { ip: undefined, hostname: 'lb.example.com' },
      ],
    });
  });

  it.each([
    ['headless', { clusterIP: 'None' }, { clusterIPs: ['None'], type: 'ClusterIP' }],
    ['without an address', { clusterIP: '' }, { clusterIPs: [] }],
    ['a name elsewhere', { type: 'ExternalName', externalName: 'a.com' }, { externalName: 'a.com', ports: [] }],
    [
      'a port that leads to itself',
      { ports: [{ port: 80 }] },
      { ports: [{ name: '', port: 80, targetPort: 80, protocol: 'TCP' }] },
    ],
    ['UDP', { ports: [{ port: 53, protocol: 'UDP' }] }, { ports: [{ port: 53, protocol: 'UDP' }] }],
    ['nulls', { ports: null, selector: null, externalIPs: null }, { ports: [], selector: {}, externalIPs: [] }],
  ])('%s', (_, spec, expected) => {
    expect(read('Service', { spec })).toMatchObject(expected);
  });

  it('says where an object is not what the API server would give', () => {
    const { spec, issues } = collections.Service.parse({ spec: { ports: [{ port: 'eighty' }] } });
    expect(spec).toBeUndefined();
    expect(issues.map(renderIssue)).toEqual(['error XEB0001 spec.ports[0].port']);
  });

  it('needs a spec', () => {
    expect(collections.Service.parse({}).issues.map(renderIssue)).toEqual(['error XEB0002 spec']);
  });
});

describe('EndpointSlice', () => {
  it('keeps endpoints with their state and place', () => {
    const spec = read('EndpointSlice', {
      metadata: { labels: { 'kubernetes.io/service-name': 'reviews' } },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: false, serving: true, terminating: true },
          nodeName: 'n',
          zone: 'z',
          hostname: 'h',
          targetRef: { kind: 'Pod', name: 'p', namespace: 'shop' },
        },
        { addresses: ['10.0.0.2'] },
      ],
      ports: [{ name: 'http', port: 9080 }],
    });
    expect(spec).toMatchObject({
      serviceName: 'reviews',
      addressType: 'IPv4',
      endpoints: [
        {
          ready: false,
          serving: true,
          terminating: true,
          nodeName: 'n',
          zone: 'z',
          hostname: 'h',
          targetRef: { kind: 'Pod', name: 'p', namespace: 'shop' },
        },
        { addresses: ['10.0.0.2'], ready: true, serving: true, terminating: false },
      ],
      ports: [{ name: 'http', port: 9080, protocol: 'TCP' }],
    });
  });

  it.each([
    ['ready unknown', {}, { ready: true, serving: true }],
    ['ready null', { ready: null }, { ready: true, serving: true }],
    ['not ready', { ready: false }, { ready: false, serving: false }],
  ])('%s', (_, conditions, expected) => {
    const spec = read('EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: [], conditions }],
      ports: null,
    });
    expect(spec?.endpoints[0]).toMatchObject(expected);
    expect(spec?.serviceName).toBe('');
  });
});

describe('Endpoints', () => {
  it('keeps subsets', () => {
    expect(read('Endpoints', { subsets: [{ addresses: [{ ip: '1.1.1.1' }], ports: [{ port: 80 }] }] })).toMatchObject({
      subsets: [
        { addresses: [{ ip: '1.1.1.1' }], notReadyAddresses: [], ports: [{ port: 80, name: '', protocol: 'TCP' }] },
      ],
    });
    expect(read('Endpoints', { subsets: null })).toEqual({ subsets: [] });
  });
});

const container = {
  name: 'app',
  image: 'app:1',
  env: [
    { name: 'A', value: 'b' },
    { name: 'B', valueFrom: { fieldRef: {} } },
  ],
  ports: [{ containerPort: 8080 }],
  readinessProbe: { httpGet: { path: '/ok', port: 'web' }, periodSeconds: 5 },
};

describe('Pod', () => {
  it('keeps identity, addresses, readiness and containers', () => {
    const spec = read('Pod', {
      metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'r', controller: true }] },
      spec: { serviceAccountName: 'sa', nodeName: 'n', containers: [container], volumes: [{}] },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
    expect(spec).toMatchObject({
      serviceAccountName: 'sa',
      nodeName: 'n',
      hostNetwork: false,
      phase: 'Running',
      podIPs: ['10.0.0.1', 'fd00::1'],
      ready: true,
      owner: { kind: 'ReplicaSet', name: 'r' },
      containers: [
        {
          name: 'app',
          env: [{ name: 'A', value: 'b' }, { name: 'B' }],
          ports: [{ containerPort: 8080, protocol: 'TCP' }],
          readinessProbe: { httpGet: { port: 'web' } },
        },
      ],
    });
  });

  it.each([
    [
      'not scheduled',
      { spec: {} },
      { nodeName: '', phase: 'Pending', podIPs: [], ready: false, serviceAccountName: 'default', owner: undefined },
    ],
    ['an old account', { spec: { serviceAccount: 'old' } }, { serviceAccountName: 'old' }],
    ['one address', { spec: {}, status: { podIP: '10.0.0.1' } }, { podIPs: ['10.0.0.1'] }],
    ['not ready', { spec: {}, status: { conditions: [{ type: 'Ready', status: 'False' }] } }, { ready: false }],
    ['on the host', { spec: { hostNetwork: true } }, { hostNetwork: true }],
  ])('%s', (_, object, expected) => {
    expect(read('Pod', object)).toMatchObject(expected);
  });
});

describe('other kinds', () => {
  it('Deployment keeps its template', () => {
    const template = { metadata: { labels: { app: 'a' }, annotations: null }, spec: { containers: [container] } };
    expect(read('Deployment', { spec: { selector: { matchLabels: { app: 'a' } }, template } })).toMatchObject({
      replicas: 1,
      selector: { matchLabels: { app: 'a' }, matchExpressions: [] },
      template: {
        labels: { app: 'a' },
        annotations: {},
        spec: { serviceAccountName: 'default', containers: [{ name: 'app' }] },
      },
    });
  });

  it('Node keeps addresses', () => {
    expect(
      read('Node', {
        spec: { podCIDR: '10.0.0.0/24' },
        status: { addresses: [{ type: 'InternalIP', address: '1.1.1.1' }] },
      }),
    ).toEqual({
      addresses: [{ type: 'InternalIP', address: '1.1.1.1' }],
      podCIDR: '10.0.0.0/24',
      podCIDRs: [],
    });
  });

  it('Namespace keeps its phase', () => {
    expect(read('Namespace', {})).toEqual({ phase: 'Active' });
    expect(read('Namespace', { status: { phase: 'Terminating' } })).toEqual({ phase: 'Terminating' });
  });

  it('ServiceAccount keeps the names of its secrets', () => {
    expect(read('ServiceAccount', { secrets: [{ name: 'a' }] })).toEqual({ secrets: ['a'], imagePullSecrets: [] });
  });

  it('Secret is decoded, and what was written as text counts; only what gateways need is kept', () => {
    const object = {
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': 'aGVsbG8=', key: 'eA==', password: 'eA==' },
      stringData: { key: 'y', token: 'z' },
    };
    expect(read('Secret', object)).toEqual({ type: 'kubernetes.io/tls', data: { 'tls.crt': 'hello', key: 'y' } });
    expect(read('Secret', {})).toEqual({ type: 'Opaque', data: {} });
  });

  it.each([
    { data: { 'tls.key': ['PLANTED'] } },
    { data: 'PLANTED' },
    { stringData: { 'tls.key': { PLANTED: 'PLANTED' } } },
    { stringData: ['PLANTED'] },
  ])('a Secret that cannot be read is refused, and not quoted: %o', (object) => {
    const { issues } = collections.Secret.check(object, { name: 'a', namespace: 'b', annotations: {} });
    expect(issues.map(renderIssue)).toEqual(['error XEB0001 ']);
    expect(JSON.stringify(issues)).not.toContain('PLANTED');
  });

  it('ConfigMap keeps its texts', () => {
    expect(read('ConfigMap', { data: { mesh: 'a' }, binaryData: {} })).toEqual({ data: { mesh: 'a' } });
    expect(read('ConfigMap', { data: null })).toEqual({ data: {} });
  });
});
