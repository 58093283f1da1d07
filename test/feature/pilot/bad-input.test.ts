import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../src/gen/codec.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { object, virtualService } from './support/manifests.ts';
import { ModelEnvoy } from './support/model-envoy.ts';
import { TestProcess } from './support/process.ts';
import { REVIEWS, shop, shopClient, toReviews } from './support/shop.ts';

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

function request(fields: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', { typeUrl: CDS, ...fields }));
}

const node = { id: 'sidecar~10.9.9.9~evil.shop~shop.svc.cluster.local' };
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `n${index}`);

const { INVALID_ARGUMENT, RESOURCE_EXHAUSTED } = RpcStatusCode;

/** Requests, and the status that ends the stream. */
const attacks: readonly (readonly [string, readonly Buffer[], number])[] = [
  ['bytes that are no message', [Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])], INVALID_ARGUMENT],
  ['no node', [request({})], INVALID_ARGUMENT],
  ['a node that changes', [request({ node }), request({ node: { id: 'sidecar~10.9.9.8~a.b~c' } })], INVALID_ARGUMENT],
  ['more names than there can be', [request({ node, resourceNamesSubscribe: names(100_001) })], RESOURCE_EXHAUSTED],
  ['a name without end', [request({ node, resourceNamesSubscribe: ['x'.repeat(5_000)] })], RESOURCE_EXHAUSTED],
  [
    'a type for each day',
    names(129).map((typeUrl, index) => request({ typeUrl, ...(index === 0 ? { node } : {}) })),
    RESOURCE_EXHAUSTED,
  ],
];

describe('hostile discovery requests', () => {
  test.each(attacks)('%s: told why, and everybody else is served as before', async (_, requests, code) => {
    const mesh = await TestProcess.start([...shop, toReviews({ '': 100 })]);
    const client = await mesh.connect(shopClient);
    const stream = mesh.open('delta');
    for (const each of requests) await stream.send(each);
    expect(await stream.status).toMatchObject({ code });
    client.take();
    await mesh.apply(virtualService('shop/reviews', { hosts: [REVIEWS], http: [{ redirect: { uri: '/' } }] }));
    expect(client.take().map(({ kind }) => kind)).toEqual(['route']);
    expect(mesh.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test('a proxy that refuses everything keeps nothing from those who take it', async () => {
    const mesh = await TestProcess.start([...shop, toReviews({ '': 100 })]);
    const good = await mesh.connect(shopClient);
    const evil = new ModelEnvoy('delta', { ...node, metadata: {} });
    evil.judge = () => 'no';
    await mesh.connect(evil);
    expect(evil.errors.length).toBeGreaterThan(3);
    expect(evil.store.cluster.size).toBe(0);
    const later = await mesh.connect({ ...shopClient, id: 'sidecar~10.1.0.33~later.shop~shop.svc.cluster.local' });
    expect(later.contents()).toEqual(good.contents());
  });
});

describe('objects that cannot be meant', () => {
  test('virtual services that delegate in a circle: told, and all else is served', async () => {
    const delegating = (name: string, to: string) =>
      virtualService(`shop/${name}`, { http: [{ delegate: { name: to, namespace: 'shop' } }] });
    const root = virtualService('shop/root', {
      hosts: [REVIEWS],
      http: [{ delegate: { name: 'a', namespace: 'shop' } }],
    });
    const mesh = await TestProcess.start([...shop, root, delegating('a', 'b'), delegating('b', 'a')]);
    const client = await mesh.connect(shopClient);
    expect(client.store.cluster.has(`outbound|80||${REVIEWS}`)).toBe(true);
    const { text } = await mesh.page('/debug/diagnosticsz');
    expect(JSON.parse(text)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ object: { kind: 'VirtualService', namespace: 'shop', name: 'a' } }),
      ]),
    );
  });

  test('an object of twenty thousand routes is served, and so is what comes after it', async () => {
    const mesh = await TestProcess.start(shop);
    const client = await mesh.connect(shopClient);
    const http = Array.from({ length: 20_000 }, (_, index) => ({
      match: [{ uri: { exact: `/${index}` } }],
      route: [{ destination: { host: REVIEWS } }],
    }));
    await mesh.apply(virtualService('shop/reviews', { hosts: [REVIEWS], http }));
    expect(client.store.route.get('80')?.value.length).toBeGreaterThan(1_000_000);
    await mesh.apply(toReviews({ '': 100 }));
    expect(client.store.route.get('80')?.value.length).toBeLessThan(5_000);
    expect((await mesh.page('/healthz')).status).toBe(200);
  });

  test('names out of JavaScript’s own world are names like any other', async () => {
    const strange = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const mesh = await TestProcess.start([
      ...shop,
      ...strange.map((name) =>
        object('v1', 'Pod', `shop/${name}`, {
          spec: { containers: [{ name: 'app' }] },
          status: { phase: 'Running', podIP: '10.1.0.77', podIPs: [{ ip: '10.1.0.77' }] },
        }),
      ),
    ]);
    const labels = Object.fromEntries(strange.map((name) => [name, name]));
    const client = await mesh.connect({ ...shopClient, metadata: { NAMESPACE: 'constructor', LABELS: labels } });
    expect(client.store.listener.size).toBeGreaterThan(0);
  });
});
