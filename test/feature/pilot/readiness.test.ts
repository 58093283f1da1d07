import { describe, expect, test } from 'vitest';
import type { Source, SourceSink } from '../../../src/galley/sources/source.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { ModelEnvoy } from './support/model-envoy.ts';
import { node, TestProcess } from './support/process.ts';
import { shop, shopClient } from './support/shop.ts';

/** A source that has not read everything until it is told to have. */
class SlowSource implements Source {
  readonly name = 'slow';
  #sink: SourceSink | undefined;

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    this.#sink = sink;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  finish(): void {
    this.#sink?.synced();
  }
}

async function statusOfFirstRequest(mesh: TestProcess, envoy: ModelEnvoy) {
  const stream = mesh.open(envoy.protocol);
  for (const request of envoy.start()) await stream.send(request);
  return stream.status;
}

describe('before every source is read', () => {
  test('streams are sent away to come again, and probes are told what is waited for', async () => {
    const slow = new SlowSource();
    const mesh = new TestProcess({ sources: [slow] });
    mesh.source.apply(...shop);
    await mesh.run();
    const status = await statusOfFirstRequest(mesh, new ModelEnvoy('delta', shopClient));
    expect(status).toEqual({ code: RpcStatusCode.UNAVAILABLE, message: 'the server is not ready yet' });
    expect(await mesh.page('/ready')).toEqual({ status: 503, text: 'waiting for slow\n' });
    expect(await mesh.page('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    for (const page of ['/debug/registryz', '/debug/endpointz', '/debug/config_dump?proxy=a'])
      expect(await mesh.page(page)).toEqual({ status: 503, text: 'waiting for slow\n' });
    for (const page of ['/debug/syncz', '/debug/configz', '/debug/diagnosticsz', '/debug/refusedz'])
      expect(await mesh.page(page)).toEqual({ status: 200, text: '[]\n' });
    slow.finish();
    await mesh.until('ready', () => mesh.xebec.pilot.isReady);
    expect(await mesh.page('/ready')).toEqual({ status: 200, text: 'ready\n' });
    const envoy = await mesh.connect(shopClient);
    expect(envoy.store.listener.size).toBeGreaterThan(0);
  });
});

describe('without Pilot', () => {
  test('a process is ready once it has read everything, and sends proxies elsewhere', async () => {
    const mesh = await TestProcess.start(shop, { controllers: ['galley'] });
    expect(await mesh.page('/ready')).toEqual({ status: 200, text: 'ready\n' });
    expect((await mesh.page('/debug/configz')).text).toContain('"reviews"');
    const status = await statusOfFirstRequest(mesh, new ModelEnvoy('delta', shopClient));
    expect(status.code).toBe(RpcStatusCode.UNAVAILABLE);
    await mesh.stop();
  });
});

describe('a node that cannot be served', () => {
  test.each([
    ['gibberish', 'node id "gibberish" must have four parts: type~ip~name.namespace~domain'],
    ['waypoint~10.0.0.1~a.b~c', 'node type "waypoint" must be sidecar or router'],
    ['sidecar~somewhere~a.b~c', 'node id "sidecar~somewhere~a.b~c": "somewhere" is no IP address'],
  ])('%s is told why', async (id, message) => {
    const mesh = await TestProcess.start(shop);
    const status = await statusOfFirstRequest(mesh, new ModelEnvoy('sotw', { id, metadata: {} }));
    expect(status).toEqual({ code: RpcStatusCode.INVALID_ARGUMENT, message });
    expect(mesh.xebec.pilot.proxies()).toEqual([]);
  });

  test('harms nobody else', async () => {
    const mesh = await TestProcess.start(shop);
    const client = await mesh.connect(shopClient);
    await statusOfFirstRequest(mesh, new ModelEnvoy('delta', { id: '\u0000'.repeat(1000), metadata: {} }));
    client.take();
    await mesh.delete('Service', 'bank', 'ledger');
    expect(client.take().length).toBeGreaterThan(0);
  });
});

describe('stopping', () => {
  test('lets clients go to come again, and takes no time with a few', async () => {
    const mesh = await TestProcess.start(shop);
    const streams = Array.from({ length: 3 }, () => mesh.open('delta'));
    for (const [index, stream] of streams.entries()) {
      const envoy = new ModelEnvoy('delta', node(`shop/c${index}`, `10.3.0.${index}`));
      for (const request of envoy.start()) await stream.send(request);
    }
    await mesh.until('connected', () => mesh.xebec.pilot.proxies().length === 3);
    const started = performance.now();
    await mesh.stop();
    expect(performance.now() - started).toBeLessThan(1_500);
    for (const stream of streams)
      expect(await stream.status).toEqual({ code: RpcStatusCode.UNAVAILABLE, message: 'the server is stopping' });
  });
});
