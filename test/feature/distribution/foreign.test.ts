// Whoever speaks the protocols can consume verified configuration: here a client that shares no code with xebec.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { distributedKinds } from '../../../src/galley/distribution/kinds.ts';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { until } from './support/consumer.ts';
import { foreignSink, foreignXds, namesOf, open, openResource } from './support/foreign-client.ts';
import { makeMesh, makeVirtualService } from './support/manifests.ts';
import { Publisher } from './support/publisher.ts';

const VIRTUAL_SERVICES = 'istio/networking/v1alpha3/virtualservices';

async function publish(...names: readonly string[]): Promise<Publisher> {
  const source = new MemorySource();
  source.apply(...makeMesh(), ...names.map((name) => makeVirtualService(name)));
  return new Publisher(source).start();
}

describe('a sink of MCP', () => {
  test('gets a collection whole, and again when it changed and the sink confirmed', async () => {
    const publisher = await publish('a', 'b');
    const sink = foreignSink(publisher.port);
    sink.send({ sinkNode: { id: 'foreign' }, collection: VIRTUAL_SERVICES });
    const first = await sink.answer(0);
    expect(first).toMatchObject({ collection: VIRTUAL_SERVICES, nonce: '1' });
    expect(first.incremental).toBeFalsy();
    expect(namesOf(first)).toEqual(['default/a', 'default/b']);
    const body = first.resources?.[0]?.body;
    expect(body?.type_url).toBe('type.googleapis.com/istio.networking.v1alpha3.VirtualService');
    expect(body && open(body)).toMatchObject({
      hosts: ['a.example.com'],
      http: [{ route: [{ destination: { host: 'shop' } }] }],
    });

    publisher.source.apply(makeVirtualService('c'));
    sink.send({ collection: VIRTUAL_SERVICES, responseNonce: '1' });
    const second = await sink.answer(1);
    expect(namesOf(second)).toEqual(['default/a', 'default/b', 'default/c']);
    expect(second.nonce).toBe('2');
    const metrics = await publisher.metrics.expose();
    expect(metrics).toContain(`istio_mcp_request_acks_total{component="galley",collection="${VIRTUAL_SERVICES}"} 1`);
    expect(metrics).toContain('istio_mcp_clients_total{component="galley"} 1');
  });

  test('that asks for what changed gets one of a thousand', async () => {
    const publisher = await publish(...Array.from({ length: 1000 }, (_, at) => `vs-${at}`));
    const sink = foreignSink(publisher.port);
    sink.send({ collection: VIRTUAL_SERVICES, incremental: true });
    expect((await sink.answer(0)).resources).toHaveLength(1000);
    sink.send({ collection: VIRTUAL_SERVICES, responseNonce: '1', incremental: true });
    await until('confirmed', () => publisher.mcp.sinks === 1);
    publisher.source.apply(makeVirtualService('vs-500', '2s'));
    const changed = await sink.answer(1);
    expect(changed.incremental).toBe(true);
    expect(namesOf(changed)).toEqual(['default/vs-500']);
    expect(sink.sizes[1]).toBeLessThan((sink.sizes[0] ?? 0) / 500);

    sink.send({ collection: VIRTUAL_SERVICES, responseNonce: '2', incremental: true });
    publisher.source.delete('VirtualService', 'default', 'vs-7');
    const removed = await sink.answer(2);
    expect(namesOf(removed)).toEqual([]);
    expect(removed.removedResources).toEqual(['default/vs-7']);
  });

  test('that brings versions along gets what it lacks', async () => {
    const publisher = await publish('a', 'b');
    const before = foreignSink(publisher.port);
    before.send({ collection: VIRTUAL_SERVICES, incremental: true });
    const held = (await before.answer(0)).resources ?? [];
    before.close();
    publisher.source.apply(makeVirtualService('b', '9s'));
    publisher.source.delete('VirtualService', 'default', 'a');
    await until('gone', () => publisher.galley.snapshot()?.objects.VirtualService.length === 1);

    const after = foreignSink(publisher.port);
    const initialResourceVersions = Object.fromEntries(held.map(({ metadata: { name, version } }) => [name, version]));
    after.send({ collection: VIRTUAL_SERVICES, incremental: true, initialResourceVersions });
    const answer = await after.answer(0);
    expect(answer.incremental).toBe(true);
    expect(namesOf(answer)).toEqual(['default/b']);
    expect(answer.removedResources).toEqual(['default/a']);
  });

  test('that does not confirm gets nothing more of that collection, then the newest only', async () => {
    const publisher = await publish('a');
    const sink = foreignSink(publisher.port);
    sink.send({ collection: VIRTUAL_SERVICES });
    await sink.answer(0);
    for (let at = 0; at < 20; at += 1) {
      publisher.source.apply(makeVirtualService('a', `${at + 2}s`));
      await until('admitted', () =>
        JSON.stringify(publisher.galley.snapshot()?.objects.VirtualService).includes(`"${at + 2}s"`),
      );
    }
    sink.send({ collection: 'istio/networking/v1alpha3/gateways' });
    expect((await sink.answer(1)).collection).toBe('istio/networking/v1alpha3/gateways');
    sink.send({ collection: VIRTUAL_SERVICES, responseNonce: '1' });
    const [resource] = (await sink.answer(2)).resources ?? [];
    expect(JSON.stringify(resource && open(resource.body))).toContain('{"low":21,');
    expect(sink.received.map(({ nonce }) => nonce)).toEqual(['1', '2', '3']);
  });

  test('that refuses is not sent the same again, but the next change is', async () => {
    const publisher = await publish('a');
    const sink = foreignSink(publisher.port);
    sink.send({ collection: VIRTUAL_SERVICES });
    await sink.answer(0);
    sink.send({ collection: VIRTUAL_SERVICES, responseNonce: '1', errorDetail: { code: 3, message: 'no such thing' } });
    await until('refused', () => publisher.log.join('').includes('no such thing'));
    await sleep(20);
    expect(sink.received).toHaveLength(1);
    publisher.source.apply(makeVirtualService('a', '3s'));
    expect((await sink.answer(1)).nonce).toBe('2');
    expect(await publisher.metrics.expose()).toMatch(/istio_mcp_request_nacks_total\{.*code="InvalidArgument"\} 1/);
  });

  test('that answers an old response is ignored, and one that asks for nonsense is sent away', async () => {
    const publisher = await publish('a');
    const sink = foreignSink(publisher.port);
    sink.send({ collection: VIRTUAL_SERVICES });
    await sink.answer(0);
    sink.send({ collection: VIRTUAL_SERVICES, responseNonce: '17' });
    publisher.source.apply(makeVirtualService('b'));
    await until('admitted', () => publisher.galley.snapshot()?.objects.VirtualService.length === 2);
    sink.send({ collection: 'istio/nothing' });
    expect(await sink.end()).toMatchObject({ code: 3, details: 'there is no collection "istio/nothing"' });
    expect(sink.received).toHaveLength(1);
    await until('forgotten', () => publisher.mcp.sinks === 0);
  });

  test('that does not read costs one message, and others are served', async () => {
    const publisher = await publish(...Array.from({ length: 300 }, (_, at) => `vs-${at}`));
    const slow = foreignSink(publisher.port);
    slow.pause();
    slow.send({ collection: VIRTUAL_SERVICES });
    await until('connected', () => publisher.mcp.sinks === 1);
    const quick = foreignSink(publisher.port);
    quick.send({ collection: VIRTUAL_SERVICES });
    for (let at = 0; at < 5; at += 1) {
      expect((await quick.answer(at)).resources).toHaveLength(300);
      publisher.source.apply(makeVirtualService('vs-1', `${at + 2}s`));
      quick.send({ collection: VIRTUAL_SERVICES, responseNonce: String(at + 1) });
    }
    slow.resume();
    expect((await slow.answer(0)).resources).toHaveLength(300);
    expect(slow.received).toHaveLength(1);
  });

  test('that asks too often waits, and is served all the same', async () => {
    const source = new MemorySource();
    const publisher = await new Publisher(source, { requests: { burst: 3, perSecond: 20 } }).start();
    const sink = foreignSink(publisher.port);
    for (let each = 0; each < 6; each += 1) sink.send({ collection: VIRTUAL_SERVICES });
    sink.send({ collection: 'istio/networking/v1alpha3/gateways' });
    await until('served', () => sink.received.some(({ collection }) => collection !== VIRTUAL_SERVICES));
    expect(sink.ended).toBeUndefined();
  });

  test('finds services and namespaces of Kubernetes, the mesh configuration, and services as entries', async () => {
    const publisher = await publish();
    const sink = foreignSink(publisher.port);
    const collections = [
      'k8s/core/v1/namespaces',
      'k8s/core/v1/services',
      'istio/mesh/v1alpha1/MeshConfig',
      'istio/networking/v1alpha3/synthetic/serviceentries',
    ];
    for (const collection of collections) sink.send({ collection });
    await sink.answer(3);
    const first = collections.map(
      (name) => sink.received.find(({ collection }) => collection === name)?.resources?.[0],
    );
    expect(first.map((resource) => resource?.metadata.name)).toEqual([
      'default',
      'default/shop',
      'istio-system/meshconfig',
      'default/shop',
    ]);
    const [, service, mesh, entry] = first.map((resource) => resource && open(resource.body));
    expect(service).toMatchObject({
      clusterIP: '10.96.0.10',
      ports: [{ name: 'http', port: 80, targetPort: { intVal: 8080 } }],
    });
    expect(mesh).toMatchObject({ rootNamespace: 'istio-system', trustDomain: 'cluster.local' });
    expect(entry).toMatchObject({ hosts: ['shop.default.svc.cluster.local'], addresses: ['10.96.0.10'] });
  });
});

describe('a client of the discovery service', () => {
  const node = { id: 'foreign', metadata: { fields: { GENERATOR: { stringValue: 'api' } } } };

  test('gets every version of a kind, all with the same content', async () => {
    const publisher = await publish('a');
    const client = foreignXds(publisher.port);
    const urls = ['v1', 'v1beta1', 'v1alpha3'].map((version) => `networking.istio.io/${version}/VirtualService`);
    for (const typeUrl of urls) client.send({ node, typeUrl });
    await client.answer(2);
    expect(client.received.map(({ typeUrl }) => typeUrl)).toEqual(urls);
    const bodies = client.received.map(({ resources }) => Buffer.from(resources?.[0]?.value ?? []).toString('hex'));
    expect(new Set(bodies).size).toBe(1);
    const resource = client.received[0]?.resources?.[0];
    expect(resource?.type_url).toBe('type.googleapis.com/istio.mcp.v1alpha1.Resource');
    const opened = resource && openResource(resource);
    expect(opened?.metadata.name).toBe('default/a');
    expect(opened && open(opened.body)).toMatchObject({ hosts: ['a.example.com'] });
  });

  test('has the mesh configuration unwrapped, and what does not exist empty', async () => {
    const publisher = await publish();
    const client = foreignXds(publisher.port);
    client.send({ node, typeUrl: 'core/v1alpha1/MeshConfig' });
    const [mesh] = (await client.answer(0)).resources ?? [];
    expect(mesh && open(mesh)).toMatchObject({ trustDomain: 'cluster.local' });
    client.send({ node, typeUrl: 'networking.istio.io/v1/Gateway' });
    expect((await client.answer(1)).resources ?? []).toEqual([]);
  });

  test('hears of changes', async () => {
    const publisher = await publish('a');
    const client = foreignXds(publisher.port);
    const typeUrl = 'networking.istio.io/v1alpha3/VirtualService';
    client.send({ node, typeUrl });
    const { nonce } = await client.answer(0);
    client.send({ typeUrl, responseNonce: nonce });
    publisher.source.apply(makeVirtualService('b'));
    expect((await client.answer(1)).resources).toHaveLength(2);
    expect(publisher.consumers.consumers).toBe(1);
    client.close();
    await until('gone', () => publisher.consumers.consumers === 0);
  });
});

test('one server serves proxies and consumers, each with its own', async () => {
  const publisher = await publish('a');
  await until('ready', () => publisher.pilot.isReady);
  const proxy = foreignXds(publisher.port);
  const typeUrl = 'type.googleapis.com/envoy.config.listener.v3.Listener';
  proxy.send({ node: { id: 'sidecar~10.0.0.1~a.default~default.svc.cluster.local' }, typeUrl });
  expect((await proxy.answer(0)).resources?.length).toBeGreaterThan(0);
  const consumer = foreignXds(publisher.port);
  const node = { id: 'foreign', metadata: { fields: { GENERATOR: { stringValue: 'api' } } } };
  consumer.send({ node, typeUrl });
  expect((await consumer.answer(0)).resources ?? []).toEqual([]);
});

test('no secret is distributed', () => {
  expect(distributedKinds.map(({ kind }) => kind)).not.toContain('Secret');
  expect(distributedKinds.map(({ kind }) => kind)).not.toContain('ConfigMap');
});
