// A discovery service that sends a bad object among good ones, over xebec's own server: the server keeps it back from then on.
import { expect, onTestFinished, test } from 'vitest';
import { encodeObject, loadSpecCodec } from '../../../src/galley/distribution/encode-resource.ts';
import { MCP_RESOURCE_TYPE } from '../../../src/galley/distribution/kinds.ts';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { RpcServer } from '../../../src/rpc/rpc-server.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import type { NackReport, SnapshotSource, XdsSnapshot } from '../../../src/xds/ports.ts';
import { encodeResource } from '../../../src/xds/resource.ts';
import { emptyResourceSet, nextResourceSet, type ResourceSet } from '../../../src/xds/resource-set.ts';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import { adsMethods, XdsServer } from '../../../src/xds/xds.ts';
import { Consumer } from './support/consumer.ts';
import { makeMesh } from './support/manifests.ts';

const typeUrl = 'networking.istio.io/v1/VirtualService';
const codec = await loadSpecCodec();

type Specs = Readonly<Record<string, object>>;
const spec = (host: string): object => ({ hosts: [host], http: [{ route: [{ destination: { host: 'shop' } }] }] });
const bad = { hosts: ['bad.example.com'], http: [{ timeout: '1s' }] };

/** A server whose VirtualServices are what the test says. */
class ScriptedDiscovery implements SnapshotSource {
  readonly verdicts = new Verdicts();
  readonly nacks: NackReport[] = [];
  readonly #changed = new Set<() => void>();
  #set: ResourceSet = emptyResourceSet(typeUrl, this.verdicts);
  #snapshot: XdsSnapshot = new Map([[typeUrl, this.#set]]);

  async start(): Promise<number> {
    const xds = new XdsServer({
      source: this,
      verdicts: this.verdicts,
      listener: { onAck: () => undefined, onNack: (report) => this.nacks.push(report) },
      isReady: () => true,
      clock: systemClock,
      log: silentLogger,
      metrics: new PromMetrics(),
    });
    const methods = adsMethods.map(({ path, protocol }) => ({
      path,
      serve: (stream: Parameters<XdsServer['serve']>[1]) => xds.serve(protocol, stream),
    }));
    const server = new RpcServer({ methods, clock: systemClock, log: silentLogger });
    const bound = await server.listen({ host: '127.0.0.1', port: 0 });
    if (!bound.ok) throw new Error(bound.error.message);
    const stop = new AbortController();
    const running = xds.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
      await server.stop(0);
    });
    return bound.value.port;
  }

  say(specs: Specs): void {
    const resources = Object.entries(specs).map(([name, json]) => {
      const meta = { namespace: 'default', name, labels: {}, annotations: {}, createdAt: undefined };
      const body = { message: 'istio.networking.v1alpha3.VirtualService', json };
      const { bytes, name: qualified } = encodeObject(codec, { kind: 'VirtualService', meta }, body);
      return encodeResource({
        typeUrl,
        bodyTypeUrl: MCP_RESOURCE_TYPE,
        name: qualified,
        value: bytes,
        needs: [],
        origins: [],
      });
    });
    this.#set = nextResourceSet(this.#set, resources);
    this.#snapshot = new Map([[typeUrl, this.#set]]);
    for (const changed of this.#changed) changed();
  }

  open(...[, { changed }]: Parameters<SnapshotSource['open']>): ReturnType<SnapshotSource['open']> {
    this.#changed.add(changed);
    return { kind: 'handle', handle: { current: () => this.#snapshot, close: () => this.#changed.delete(changed) } };
  }
}

test('a bad object is named and keeps its last version, all others arrive, and so does its repair', async () => {
  const discovery = new ScriptedDiscovery();
  discovery.say({ a: spec('a.example.com'), b: spec('b.example.com') });
  const own = new MemorySource('own');
  own.apply(...makeMesh());
  const consumer = await new Consumer({ kind: 'xds', port: await discovery.start(), sources: [own] }).start();
  const hosts = (): string =>
    (consumer.galley.snapshot()?.objects.VirtualService ?? []).map(({ spec: { hosts: [first] = [] } }) => first).join();
  await consumer.until('fed', () => hosts() === 'a.example.com,b.example.com');

  discovery.say({ a: bad, b: spec('b2.example.com'), c: spec('c.example.com') });
  await consumer.until('fed', () => hosts() === 'a.example.com,b2.example.com,c.example.com');
  await consumer.until('refused', () => discovery.nacks.length > 0);
  expect(discovery.nacks.map(({ resource }) => resource.name)).toEqual(['default/a']);
  expect(discovery.nacks[0]?.error).toContain('spec.http');
  expect(consumer.galley.diagnostics().map(({ code }) => code)).toContain('XEB1011');

  discovery.say({ a: spec('a3.example.com'), c: spec('c.example.com') });
  await consumer.until('repaired', () => hosts() === 'a3.example.com,c.example.com');
  expect(consumer.galley.diagnostics().map(({ code }) => code)).not.toContain('XEB1011');
});
