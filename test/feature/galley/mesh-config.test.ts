import { rename, symlink } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { defaultMeshConfig } from '../../../src/apis/mesh/default-mesh-config.ts';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { Folder, RunningGalley, route } from './harness.ts';

function configMap(data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio', namespace: 'istio-system' }, data };
}

it('is the defaults when nobody configures it', async () => {
  const folder = await Folder.make();
  const running = await RunningGalley.synced(folder.path);
  expect(running.galley.snapshot()?.mesh).toBe(defaultMeshConfig);
});

it('comes from the ConfigMap istio of the root namespace, and goes back to the defaults with it', async () => {
  const folder = await Folder.make();
  const memory = new MemorySource();
  memory.apply(
    configMap({
      mesh: 'accessLogFile: /dev/stdout\n',
      meshNetworks: 'networks: {east: {endpoints: [{fromCidr: 10.0.0.0/8}]}}\n',
    }),
  );
  const running = await RunningGalley.synced(folder.path, { sources: [memory] });
  const mesh = () => running.galley.snapshot()?.mesh;
  expect(mesh()?.accessLogFile).toBe('/dev/stdout');
  expect(Object.keys(running.galley.snapshot()?.networks.networks ?? {})).toEqual(['east']);
  memory.delete('ConfigMap', 'istio-system', 'istio');
  await running.until(() => mesh()?.accessLogFile === '');
  expect(running.galley.snapshot()?.networks).toEqual({});
});

it('keeps the last good one when the ConfigMap turns bad, and names the place', async () => {
  const folder = await Folder.make();
  const text = (level: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    ${level}\n`;
  await folder.write('mesh.yaml', text('accessLogFile: /dev/stdout'));
  const running = await RunningGalley.synced(folder.path);
  const good = running.galley.snapshot()?.mesh;
  await folder.write('mesh.yaml', text('connectTimeout: soon'));
  await running.until(() => running.diagnostics('XEB0004').length === 1);
  expect(running.galley.snapshot()?.mesh).toBe(good);
  expect(running.diagnostics('XEB0004')).toMatchObject([
    {
      path: ['data', 'mesh', 'connectTimeout'],
      object: { kind: 'ConfigMap', name: 'istio' },
      at: { line: 6, column: 5 },
    },
  ]);
  await folder.write('mesh.yaml', text('{'));
  await running.until(() => running.diagnostics('XEB1004').length === 1);
  expect(running.galley.snapshot()?.mesh).toBe(good);
  await folder.write('mesh.yaml', text('accessLogFile: /dev/stderr'));
  await running.until(() => running.galley.snapshot()?.mesh.accessLogFile === '/dev/stderr');
  expect(running.diagnostics()).toEqual([]);
});

it('is overruled by a file, which is followed like the folder', async () => {
  const folder = await Folder.make();
  const mounted = await Folder.make();
  await folder.write('a.yaml', route('a'));
  await mounted.write('..v1/mesh', 'accessLogFile: one\n');
  await mounted.write('..v2/mesh', 'accessLogFile: two\n');
  await symlink('..v1', mounted.at('..data'));
  await symlink('..data/mesh', mounted.at('mesh'));
  const memory = new MemorySource();
  memory.apply(configMap({ mesh: 'accessLogFile: /dev/stdout\n' }));
  const running = await RunningGalley.synced(folder.path, { sources: [memory], meshConfigFile: mounted.at('mesh') });
  const log = (): string | undefined => running.galley.snapshot()?.mesh.accessLogFile;
  expect(log()).toBe('one');
  await symlink('..v2', mounted.at('..tmp'));
  await rename(mounted.at('..tmp'), mounted.at('..data'));
  await running.until(() => log() === 'two');
  await mounted.write('..v2/mesh', 'accessLogFile: three\n');
  await running.until(() => log() === 'three');
  await mounted.write('..v2/mesh', 'accessLogFile: four\nconnectTimeout: soon\n');
  await running.until(() => running.diagnostics('XEB0004').length === 1);
  expect(running.diagnostics('XEB0004')).toMatchObject([{ at: { file: mounted.at('mesh'), line: 2, column: 1 } }]);
  expect(log()).toBe('three');
});

it('starts with the defaults when its file is missing, and takes the file when it comes', async () => {
  const folder = await Folder.make();
  const running = await RunningGalley.synced(folder.path, { meshConfigFile: folder.at('later/mesh') });
  expect(running.galley.snapshot()?.mesh).toBe(defaultMeshConfig);
  expect(running.diagnostics('XEB1015')).toHaveLength(1);
  await folder.write('later/mesh', 'accessLogFile: late\n');
  await running.until(() => running.galley.snapshot()?.mesh.accessLogFile === 'late');
  expect(running.diagnostics()).toEqual([]);
  await folder.remove('later/mesh');
  await running.until(() => running.diagnostics('XEB1015').length === 1);
  expect(running.galley.snapshot()?.mesh.accessLogFile).toBe('late');
});
