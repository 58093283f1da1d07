import { expect, it } from 'vitest';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import type { Source } from '../../../src/galley/sources/source.ts';
import { Folder, RunningGalley, route } from './harness.ts';

it('publishes nothing before every source is synced', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  let sync: () => void = () => undefined;
  const slow: Source = {
    name: 'slow',
    run: async (sink, signal) => {
      sync = () => sink.synced();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
  };
  const running = RunningGalley.start(folder.path, { sources: [slow] });
  await running.until(() => running.galley.waitingFor().join() === 'slow');
  expect(running.galley.snapshot()).toBeUndefined();
  sync();
  await running.untilNames('VirtualService', ['default/a']);
});

it('gives the say over an object to the source that is listed first, and to the next one when that lets go', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a', { host: 'from-folder' }));
  const memory = new MemorySource();
  memory.applyYaml(route('a', { host: 'from-memory' }));
  const running = await RunningGalley.synced(folder.path, { sources: [memory] });
  const host = (): string | undefined => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0];
  expect(host()).toBe('from-folder');
  expect(running.diagnostics('XEB1009')).toMatchObject([{ level: 'warning', object: { name: 'a' } }]);
  await folder.remove('a.yaml');
  await running.until(() => host() === 'from-memory');
  expect(running.diagnostics()).toEqual([]);
  memory.clear();
  await running.untilNames('VirtualService', []);
});

it('returns to what another source has said long ago, whose text nobody has kept', async () => {
  const folder = await Folder.make();
  const memory = new MemorySource();
  memory.applyYaml(route('a', { host: 'from-memory' }));
  const running = await RunningGalley.synced(folder.path, { sources: [memory] });
  const host = (): string | undefined => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0];
  const settled = running.galley.snapshot()?.objects.VirtualService[0];
  expect([...running.galley.objects()].map(({ source }) => source.body)).toEqual([{}]);
  await folder.write('a.yaml', route('a', { host: 'from-folder' }));
  await running.until(() => host() === 'from-folder');
  await folder.write('a.yaml', route('a', { host: 'from folder' }));
  await running.until(() => running.diagnostics().some(({ level }) => level === 'error'));
  expect(host()).toBe('from-folder');
  await folder.remove('a.yaml');
  await running.until(() => host() === 'from-memory');
  expect(running.galley.snapshot()?.objects.VirtualService[0]).toEqual(settled);
  expect(running.diagnostics()).toEqual([]);
});

it('sorts the oldest first, then by namespace and name', async () => {
  const folder = await Folder.make();
  const memory = new MemorySource();
  const bodies = [
    ['shop', 'b', undefined],
    ['shop', 'a', '2026-01-02T00:00:00Z'],
    ['aaaa', 'z', '2026-01-01T00:00:00Z'],
    ['shop', 'a2', '2026-01-01T00:00:00Z'],
  ].map(([namespace, name, creationTimestamp]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, creationTimestamp },
  }));
  memory.apply(...bodies);
  const running = await RunningGalley.synced(folder.path, { sources: [memory] });
  expect(running.names('ConfigMap')).toEqual(['shop/b', 'aaaa/z', 'shop/a2', 'shop/a']);
});

it('takes no notice of a resourceVersion alone', async () => {
  const folder = await Folder.make();
  const memory = new MemorySource();
  const at = (resourceVersion: string, more = {}): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', resourceVersion, ...more },
    data: { key: 'value' },
  });
  memory.apply(at('1'));
  const running = await RunningGalley.synced(folder.path, { sources: [memory] });
  const before = running.galley.snapshot();
  memory.apply(at('2'));
  memory.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'marker' } });
  await running.untilNames('ConfigMap', ['default/a', 'default/marker']);
  expect(running.galley.snapshot()?.objects.ConfigMap[0]).toBe(before?.objects.ConfigMap[0]);
  memory.apply(at('3', { labels: { new: 'label' } }));
  await running.until(() => running.galley.snapshot()?.objects.ConfigMap[0]?.meta.labels['new'] === 'label');
  expect(running.galley.snapshot()?.objects.ConfigMap[0]?.spec).toBe(before?.objects.ConfigMap[0]?.spec);
});

it('brings many changes of one moment as one snapshot', async () => {
  const folder = await Folder.make();
  const memory = new MemorySource();
  const running = await RunningGalley.synced(folder.path, { sources: [memory] });
  let snapshots = 0;
  running.galley.onChange(() => {
    snapshots += 1;
  });
  for (let n = 0; n < 50; n += 1) memory.applyYaml(route(`r${n}`));
  await running.until(() => running.names('VirtualService').length === 50);
  expect(snapshots).toBe(1);
});

it('adds what analysis finds, with the place in the file', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a', { more: '  gateways: [missing]\n' }));
  const running = await RunningGalley.synced(folder.path);
  expect(running.diagnostics()).toMatchObject([
    { code: 'IST0101', object: { name: 'a' }, at: { file: folder.at('a.yaml'), line: 11, column: 14 } },
  ]);
});
