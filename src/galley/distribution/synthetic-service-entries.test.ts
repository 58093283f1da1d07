import { describe, expect, test } from 'vitest';
import { systemClock } from '../../kit/system-clock.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { Galley } from '../galley.ts';
import { MemorySource } from '../sources/memory-source.ts';
import { SyntheticServiceEntries } from './synthetic-service-entries.ts';

const node = `
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: a}}
`;
const pods = ['one', 'two'].map(
  (name, at) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: cart, pod: ${name}}}
spec: {serviceAccountName: sa-${name}, nodeName: n1, containers: []}
status: {podIP: 10.1.0.${at + 1}, phase: Running}
`,
);
const service = (spec: string, annotations = '{}'): string => `
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop, labels: {app: cart}, resourceVersion: "7", annotations: ${annotations}}
spec: ${spec}
`;
const slice = (ready: boolean): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart-1, namespace: shop, resourceVersion: "9", labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [10.1.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: one, namespace: shop}}
- {addresses: [10.1.0.2], conditions: {ready: ${ready}}, targetRef: {kind: Pod, name: two, namespace: shop}}
`;
const clusterIp =
  '{clusterIP: 10.96.0.1, ports: [{name: http, port: 80}, {name: other, port: 81}, {name: q, port: 82, protocol: UDP}]}';

/** A Galley that is fed step by step. */
async function world() {
  const source = new MemorySource();
  const galley = new Galley({
    sources: [source],
    meshConfigFile: undefined,
    rootNamespace: 'istio-system',
    domain: 'cluster.local',
    clock: systemClock,
    log: silentLogger,
  });
  const synthetic = new SyntheticServiceEntries('cluster.local');
  const load = async (...yaml: readonly string[]): Promise<ConfigSnapshot> => {
    source.applyYaml(yaml.join('\n---\n'));
    const enough = new AbortController();
    const stop = galley.onChange(() => enough.abort());
    await galley.run(enough.signal);
    stop();
    const snapshot = galley.snapshot();
    if (snapshot === undefined) throw new Error('nothing was published');
    return snapshot;
  };
  return { synthetic, load };
}

async function entryOf(...yaml: readonly string[]) {
  const { synthetic, load } = await world();
  const [entry] = synthetic.of(await load(...yaml));
  if (entry === undefined) throw new Error('no entry');
  return entry;
}

describe('a service as an entry', () => {
  test('with pods: static, with their labels, places and identities; who is not ready is only noted', async () => {
    const { spec, meta, key } = await entryOf(node, ...pods, service(clusterIp), slice(false));
    expect(key).toBe('ServiceEntry/shop/cart');
    expect(spec).toEqual({
      hosts: ['cart.shop.svc.cluster.local'],
      addresses: ['10.96.0.1'],
      ports: [
        { name: 'http', number: 80, protocol: 'HTTP' },
        { name: 'other', number: 81, protocol: 'TCP' },
        { name: 'q', number: 82, protocol: 'UDP' },
      ],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      endpoints: [
        { address: '10.1.0.1', ports: { http: 8080 }, labels: { app: 'cart', pod: 'one' }, locality: 'eu/a' },
      ],
      subjectAltNames: ['spiffe://cluster.local/ns/shop/sa/sa-one'],
    });
    expect(meta.annotations).toEqual({
      'networking.alpha.istio.io/serviceVersion': '7',
      'networking.alpha.istio.io/endpointsVersion': '9',
      'networking.alpha.istio.io/notReadyEndpoints': '10.1.0.2:8080',
    });
  });

  test.each([
    ['headless without pods', '{clusterIP: None, ports: []}', '0.0.0.0', 'NONE', 'MESH_INTERNAL'],
    ['with an address and without pods', '{clusterIP: 10.96.0.1, ports: []}', '10.96.0.1', 'STATIC', 'MESH_INTERNAL'],
    ['outside', '{type: ExternalName, externalName: example.com, ports: []}', '0.0.0.0', 'DNS', 'MESH_EXTERNAL'],
  ])('%s', async (...[, spec, address, resolution, location]) => {
    expect((await entryOf(service(spec))).spec).toMatchObject({ addresses: [address], resolution, location });
  });

  test('that is another name has that as its only endpoint', async () => {
    const spec = '{type: ExternalName, externalName: example.com, ports: [{name: https, port: 443}]}';
    expect((await entryOf(service(spec))).spec.endpoints).toEqual([
      { address: 'example.com', ports: { https: 443 }, labels: { app: 'cart' } },
    ]);
  });

  test('is exported where its annotation says', async () => {
    const annotations = '{networking.istio.io/exportTo: "b, ., b"}';
    expect((await entryOf(service(clusterIp, annotations))).spec.exportTo).toEqual(['.', 'b']);
  });

  test('by the older Endpoints where there is no slice', async () => {
    const endpoints = `
apiVersion: v1
kind: Endpoints
metadata: {name: cart, namespace: shop}
subsets: [{addresses: [{ip: 10.1.0.1}], notReadyAddresses: [{ip: 10.1.0.9}], ports: [{name: http, port: 8080}]}]
`;
    const { spec, meta } = await entryOf(...pods, service(clusterIp), endpoints);
    expect(spec.endpoints).toMatchObject([{ address: '10.1.0.1', labels: { pod: 'one' } }]);
    expect(meta.annotations).toMatchObject({ 'networking.alpha.istio.io/notReadyEndpoints': '10.1.0.9:8080' });
  });
});

test('an entry stays the same object until what it is made of changes', async () => {
  const { synthetic, load } = await world();
  const first = synthetic.of(await load(node, ...pods, service(clusterIp), slice(false)));
  const stranger =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: z, namespace: y}\nspec: {containers: []}\nstatus: {podIP: 10.2.0.1}\n';
  expect(synthetic.of(await load(stranger))).toBe(first);
  const second = synthetic.of(await load(slice(true)));
  expect(second).not.toBe(first);
  expect(second[0]?.spec.endpoints).toHaveLength(2);
  const third = synthetic.of(await load((pods[0] ?? '').replace('app: cart', 'app: basket')));
  expect(third[0]?.spec.endpoints?.[0]?.labels).toMatchObject({ app: 'basket' });
});
