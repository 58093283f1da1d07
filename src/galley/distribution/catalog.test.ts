import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { systemClock } from '../../kit/system-clock.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { makePinoLogger } from '../../telemetry/pino-logger.ts';
import { Galley } from '../galley.ts';
import { MemorySource } from '../sources/memory-source.ts';
import { Catalog } from './catalog.ts';

const gateway = (name: string, host: string): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name, namespace: 'shop' },
  spec: { servers: [{ hosts: [host], port: { number: 80, name: 'http', protocol: 'HTTP' } }] },
});
const gateways = 'istio/networking/v1alpha3/gateways';

/** A Galley that is fed step by step, and a catalog of what it publishes. */
function world() {
  const source = new MemorySource();
  const galley = new Galley({
    sources: [source],
    meshConfigFile: undefined,
    rootNamespace: 'istio-system',
    domain: 'cluster.local',
    clock: systemClock,
    log: silentLogger,
  });
  const log: string[] = [];
  const catalog = new Catalog({
    feed: galley,
    domain: 'cluster.local',
    clock: new ManualClock(),
    log: makePinoLogger('info', (line) => log.push(line)),
  });
  const load = async (...bodies: readonly object[]): Promise<ConfigSnapshot> => {
    source.apply(...bodies);
    const enough = new AbortController();
    const stop = galley.onChange(() => enough.abort());
    await galley.run(enough.signal);
    stop();
    await catalog.load('istio');
    const snapshot = catalog.snapshot();
    if (snapshot === undefined) throw new Error('nothing was published');
    return snapshot;
  };
  return { catalog, load, log };
}

test('a collection is the same object until something in it changes, and so is each resource', async () => {
  const { catalog, load } = world();
  const before = catalog.collection(gateways, await load(gateway('a', 'a.com'), gateway('b', 'b.com')));
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'shop' },
    spec: { ports: [] },
  };
  expect(catalog.collection(gateways, await load(service))).toBe(before);
  const after = catalog.collection(gateways, await load(gateway('a', 'c.com')));
  expect(after?.version).not.toBe(before?.version);
  expect(after?.resources.get('shop/b')).toBe(before?.resources.get('shop/b'));
  expect(after?.resources.get('shop/a')).not.toBe(before?.resources.get('shop/a'));
  const back = catalog.collection(gateways, await load(gateway('a', 'a.com')));
  expect(back?.version).toBe(before?.version);
});

test('an object that its message cannot say is said once and stays what it was; a new one is left out', async () => {
  const { catalog, load, log } = world();
  const snapshot = await load(gateway('a', 'a.com'), gateway('b', 'b.com'));
  const before = catalog.collection(gateways, snapshot);
  const odd = snapshot.objects.Gateway.map((object) => {
    const name = object.meta.name === 'b' ? 'new' : object.meta.name;
    const spec = { ...object.spec, fieldOfTomorrow: 1 };
    return { ...object, meta: { ...object.meta, name }, spec };
  });
  const strange = { ...snapshot, objects: { ...snapshot.objects, Gateway: odd } };
  const after = catalog.collection(gateways, strange);
  expect([...(after?.resources.keys() ?? [])]).toEqual(['shop/a']);
  expect(after?.resources.get('shop/a')).toBe(before?.resources.get('shop/a'));
  catalog.collection(gateways, { ...strange, objects: { ...strange.objects, Gateway: [...odd] } });
  expect(log).toHaveLength(2);
  expect(log[0]).toContain('fieldOfTomorrow');
});

test('what does not exist is no collection', async () => {
  const { catalog, load } = world();
  expect(catalog.collection('istio/nothing', await load())).toBeUndefined();
  expect(catalog.hasCollection('istio/nothing')).toBe(false);
  expect(catalog.hasCollection(gateways)).toBe(true);
});
