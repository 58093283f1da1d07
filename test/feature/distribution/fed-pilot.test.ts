// Two processes: one admits configuration, the other serves proxies from what it receives.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { Consumer, proxyGets } from './support/consumer.ts';
import { makeDestinationRule, makeMesh, makeVirtualService } from './support/manifests.ts';
import { Publisher } from './support/publisher.ts';

const bookinfo = fileURLToPath(new URL('../../../samples/bookinfo', import.meta.url));
const proxies = [
  'sidecar~10.1.1.1~reviews-v1.default~default.svc.cluster.local',
  'sidecar~10.9.9.9~stranger.elsewhere~elsewhere.svc.cluster.local',
  'router~10.1.1.9~ingress.istio-system~istio-system.svc.cluster.local',
];

/** All of Bookinfo: what is served at first, and every change of the tour. */
function bookinfoIn(...folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(bookinfo, folder))
      .filter((file) => file.endsWith('.yaml'))
      .sort()
      .map((file) => readFileSync(join(bookinfo, folder, file), 'utf8')),
  );
  return files.join('\n---\n');
}

function memory(yaml: string): MemorySource {
  const source = new MemorySource();
  source.applyYaml(yaml);
  return source;
}

describe.each(['xds', 'mcp'] as const)('a Pilot fed by %s', (kind) => {
  test('serves the same bytes as one that reads the objects itself, and keeps up', async () => {
    const source = memory(bookinfoIn('platform'));
    const publisher = await new Publisher(source).start();
    const own = kind === 'mcp' ? [memory(bookinfoIn('platform'))] : [];
    const consumer = await new Consumer({ kind, port: publisher.port, sources: own }).start();
    const inStep = async (): Promise<void> =>
      consumer.until('in step', () =>
        proxies.every(
          (proxy) =>
            JSON.stringify(proxyGets(consumer.pilot, proxy)) === JSON.stringify(proxyGets(publisher.pilot, proxy)),
        ),
      );
    await consumer.until('synced', () => consumer.galley.synced && publisher.galley.synced);
    await inStep();
    expect(Object.keys(proxyGets(consumer.pilot, proxies[0] ?? '')).length).toBeGreaterThan(10);

    const before = JSON.stringify(proxyGets(consumer.pilot, proxies[0] ?? ''));
    source.applyYaml(bookinfoIn('networking'));
    await consumer.until('changed', () => JSON.stringify(proxyGets(consumer.pilot, proxies[0] ?? '')) !== before);
    await inStep();

    source.delete('VirtualService', 'default', 'reviews');
    await consumer.until('deleted', () => !consumer.names('VirtualService').includes('default/reviews'));
    await inStep();
    expect(consumer.galley.diagnostics().filter(({ level }) => level === 'error')).toEqual(
      publisher.galley
        .diagnostics()
        .filter(({ level }) => level === 'error')
        .map((item) => ({ ...item, at: undefined })),
    );
  });

  test('keeps what it has when the other process goes, says so, and catches up when it is back', async () => {
    const source = new MemorySource();
    source.apply(...makeMesh(), makeVirtualService('a'), makeVirtualService('b'));
    const first = await new Publisher(source).start();
    const own = new MemorySource('own');
    own.apply(...makeMesh());
    const consumer = await new Consumer({ kind, port: first.port, sources: kind === 'mcp' ? [own] : [] }).start();
    await consumer.until('fed', () => consumer.names('VirtualService').length === 2);

    await first.stop();
    await consumer.until('aware of the loss', () => codes(consumer).includes('XEB1021'));
    expect(consumer.names('VirtualService')).toEqual(['default/a', 'default/b']);
    expect(consumer.galley.synced).toBe(true);

    source.delete('VirtualService', 'default', 'a');
    source.apply(makeVirtualService('c'));
    const second = await new Publisher(source).start(first.port);
    await consumer.until('caught up', () => consumer.names('VirtualService').join() === 'default/b,default/c');
    await consumer.until('well', () => !codes(consumer).includes('XEB1021'));

    source.apply(makeVirtualService('d'));
    await consumer.until('live again', () => consumer.names('VirtualService').includes('default/d'));
    expect(second.log.join('')).not.toContain('"level":50');
    expect(await consumer.metrics.expose()).toMatch(/istio_mcp_reconnections\{component="pilot"\} [1-9]/);
  });

  test('is not ready before the other process is', async () => {
    const source = new MemorySource();
    source.apply(...makeMesh(), makeDestinationRule('a'));
    const publisher = new Publisher(source);
    const placeholder = await new Publisher(new MemorySource()).start();
    const { port } = placeholder;
    await placeholder.stop();
    const own = new MemorySource('own');
    own.apply(...makeMesh());
    const consumer = await new Consumer({ kind, port, sources: kind === 'mcp' ? [own] : [] }).start();
    await consumer.until('aware', () => codes(consumer).includes('XEB1021'));
    expect(consumer.galley.snapshot()).toBeUndefined();
    await publisher.start(port);
    await consumer.until('synced', () => consumer.galley.synced);
    await consumer.until('published', () => consumer.names('DestinationRule').length === 1);
  });
});

function codes(consumer: Consumer): readonly string[] {
  return consumer.galley.diagnostics().map(({ code }) => code);
}
