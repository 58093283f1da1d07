import { chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { documents, Folder, RunningGalley, route } from './harness.ts';

it('reads every YAML and JSON file below the folder, and nothing hidden', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  await folder.write('deep/er/b.yml', documents(route('b1'), route('b2', { namespace: 'shop' })));
  await folder.write('c.json', JSON.stringify({ ...JSON.parse(asJson('c')) }));
  await folder.write('readme.md', '# not YAML');
  await folder.write('.hidden.yaml', route('hidden'));
  await folder.write('.git/d.yaml', route('d'));
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/a', 'default/b1', 'default/c', 'shop/b2']);
  expect(running.diagnostics()).toEqual([]);
});

it('follows new, changed and removed files, in place and by rename', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path);
  await folder.write('b.yaml', route('b'));
  await running.untilNames('VirtualService', ['default/a', 'default/b']);
  await folder.replace('b.yaml', route('b', { host: 'other' }));
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[1]?.spec.hosts?.[0] === 'other');
  await folder.write('a.yaml', route('a', { host: 'written-over' }));
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'written-over');
  await folder.remove('a.yaml');
  await running.untilNames('VirtualService', ['default/b']);
});

it('tells a change within milliseconds, however small its file', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path);
  const times: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    await quiet(30);
    const start = performance.now();
    await folder.write('a.yaml', route('a', { host: `host-${n}` }));
    await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === `host-${n}`);
    times.push(performance.now() - start);
  }
  // Generous for a busy machine, and still below any fixed delay.
  expect(Math.min(...times)).toBeLessThan(20);
});

it('keeps objects and lists that did not change as they are', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', documents(route('a'), route('b')));
  await folder.write(
    'services.yaml',
    'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n',
  );
  const running = await RunningGalley.synced(folder.path);
  const before = running.galley.snapshot();
  await folder.write(
    'a.yaml',
    documents('# a comment that moves the lines\n' + route('a'), route('b', { host: 'new' })),
  );
  await running.until(() => running.galley.snapshot() !== before);
  const after = running.galley.snapshot();
  expect(after?.objects.VirtualService[0]).toBe(before?.objects.VirtualService[0]);
  expect(after?.objects.VirtualService[1]).not.toBe(before?.objects.VirtualService[1]);
  expect(after?.objects.Service).toBe(before?.objects.Service);
  expect(after?.mesh).toBe(before?.mesh);
});

it('publishes nothing when a file is only touched or formatted', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path);
  const before = running.galley.snapshot();
  await utimes(folder.at('a.yaml'), 1, 1);
  await folder.write('a.yaml', `# formatted\n${route('a').replace('  hosts: [a]', '  hosts:\n  - "a"')}`);
  await folder.write('marker.yaml', route('marker'));
  await running.untilNames('VirtualService', ['default/a', 'default/marker']);
  expect(running.galley.snapshot()?.objects.VirtualService[0]).toBe(before?.objects.VirtualService[0]);
});

it('follows folders that are removed and made again', async () => {
  const folder = await Folder.make();
  await folder.write('sub/a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path);
  for (let n = 0; n < 3; n += 1) {
    await folder.remove('sub');
    await running.untilNames('VirtualService', []);
    await folder.write('sub/a.yaml', route(`a${n}`));
    await running.untilNames('VirtualService', [`default/a${n}`]);
  }
  await folder.write('sub/more/b.yaml', route('b'));
  await running.untilNames('VirtualService', ['default/a2', 'default/b']);
});

it('waits for a root that does not exist yet, and says so', async () => {
  const folder = await Folder.make();
  const running = RunningGalley.start(folder.at('later/on/conf'));
  await running.until(() => running.diagnostics('XEB1012').length === 1);
  expect(running.galley.synced).toBe(false);
  expect(running.galley.snapshot()).toBeUndefined();
  await folder.write('later/on/conf/a.yaml', route('a'));
  await running.untilNames('VirtualService', ['default/a']);
  expect(running.diagnostics()).toEqual([]);
});

it('keeps everything while the root is away, and catches up when it is back', async () => {
  const folder = await Folder.make();
  await folder.write('conf/a.yaml', route('a'));
  await folder.write('conf/sub/b.yaml', route('b'));
  const running = await RunningGalley.synced(folder.at('conf'));
  await rename(folder.at('conf'), folder.at('away'));
  await running.until(() => running.diagnostics('XEB1012').length === 1);
  expect(running.names('VirtualService')).toEqual(['default/a', 'default/b']);
  await folder.write('conf/a.yaml', route('a', { host: 'new' }));
  await running.untilNames('VirtualService', ['default/a']);
  expect(running.diagnostics()).toEqual([]);
  await folder.remove('conf');
  await running.until(() => running.diagnostics('XEB1012').length === 1);
  expect(running.names('VirtualService')).toEqual(['default/a']);
  await folder.write('conf/c.yaml', route('c'));
  await running.untilNames('VirtualService', ['default/c']);
});

it('follows the swap of a mounted ConfigMap as one change', async () => {
  const folder = await Folder.make();
  await folder.write('..v1/a.yaml', route('a'));
  await folder.write('..v1/b.yaml', route('b'));
  await symlink('..v1', folder.at('..data'));
  await symlink('..data/a.yaml', folder.at('a.yaml'));
  await symlink('..data/b.yaml', folder.at('b.yaml'));
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/a', 'default/b']);
  const seen: string[] = [];
  running.galley.onChange(({ objects }) =>
    seen.push(objects.VirtualService.map(({ spec }) => spec.hosts?.join()).join()),
  );
  for (const version of ['v2', 'v3']) {
    await folder.write(`..${version}/a.yaml`, route('a', { host: `a-${version}` }));
    await folder.write(`..${version}/b.yaml`, route('b', { host: `b-${version}` }));
    await symlink(`..${version}`, folder.at('..data_tmp'));
    await rename(folder.at('..data_tmp'), folder.at('..data'));
    await running.until(() => seen.at(-1) === `a-${version},b-${version}`);
  }
  expect(seen).toEqual(['a-v2,b-v2', 'a-v3,b-v3']);
});

it('follows symbolic links to files and folders elsewhere, and does not run in circles', async () => {
  const folder = await Folder.make();
  const elsewhere = await Folder.make();
  await elsewhere.write('a.yaml', route('a'));
  await elsewhere.write('set/b.yaml', route('b'));
  await symlink(elsewhere.at('a.yaml'), folder.at('a.yaml'));
  await symlink(elsewhere.at('set'), folder.at('set'));
  await symlink('.', folder.at('loop'));
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/a', 'default/b']);
  await elsewhere.write('a.yaml', route('a', { host: 'in-place' }));
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'in-place');
  await elsewhere.replace('a.yaml', route('a', { host: 'replaced' }));
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'replaced');
  await elsewhere.write('set/c.yaml', route('c'));
  await running.untilNames('VirtualService', ['default/a', 'default/b', 'default/c']);
});

it('follows a root that is a link to one release after another', async () => {
  const folder = await Folder.make();
  await folder.write('releases/1/a.yaml', route('a'));
  await folder.write('releases/2/b.yaml', route('b'));
  await symlink('releases/1', folder.at('current'));
  const running = await RunningGalley.synced(folder.at('current'));
  await symlink('releases/2', folder.at('next'));
  await rename(folder.at('next'), folder.at('current'));
  await running.untilNames('VirtualService', ['default/b']);
  await folder.write('releases/2/c.yaml', route('c'));
  await running.untilNames('VirtualService', ['default/b', 'default/c']);
});

it('looks at everything again now and then, for what no watch can see', async () => {
  const folder = await Folder.make();
  const elsewhere = await Folder.make();
  await elsewhere.write('links/.keep', '');
  await elsewhere.write('one/a.yaml', route('one'));
  await elsewhere.write('two/a.yaml', route('two'));
  await symlink('../one/a.yaml', elsewhere.at('links/a.yaml'));
  await symlink(elsewhere.at('links/a.yaml'), folder.at('a.yaml'));
  const running = await RunningGalley.synced(folder.path, { times: { rescanMs: 20 } });
  await symlink('../two/a.yaml', elsewhere.at('links/next'));
  await rename(elsewhere.at('links/next'), elsewhere.at('links/a.yaml'));
  await running.untilNames('VirtualService', ['default/two']);
});

it('does not lose an object while its file is being written again', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path, { times: { settleQuietMs: 300 } });
  const lengths: number[] = [];
  running.galley.onChange(({ objects }) => lengths.push(objects.VirtualService.length));
  const text = route('a', { host: 'slowly' });
  await writeFile(folder.at('a.yaml'), '');
  await quiet(5);
  await writeFile(folder.at('a.yaml'), text.slice(0, 60));
  await quiet(5);
  await writeFile(folder.at('a.yaml'), text);
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'slowly');
  await rm(folder.at('a.yaml'));
  await quiet(3);
  await folder.write('a.yaml', route('a', { host: 'again' }));
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'again');
  expect(lengths.every((length) => length === 1)).toBe(true);
});

it('settles on the last of many rapid edits', async () => {
  const folder = await Folder.make();
  const running = await RunningGalley.synced(folder.path);
  for (let n = 0; n <= 100; n += 1) await folder.replace('a.yaml', route('a', { host: `h${n}` }));
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'h100');
});

it('starts again where another left off', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const first = await RunningGalley.synced(folder.path);
  await first.stop();
  await folder.write('a.yaml', route('b'));
  const second = await RunningGalley.synced(folder.path);
  expect(second.names('VirtualService')).toEqual(['default/b']);
  expect(first.names('VirtualService')).toEqual(['default/a']);
  await folder.write('c.yaml', route('c'));
  await second.untilNames('VirtualService', ['default/b', 'default/c']);
});

it('reads a single file as root', async () => {
  const folder = await Folder.make();
  await folder.write('mesh.conf', route('a'));
  const running = await RunningGalley.synced(folder.at('mesh.conf'));
  await folder.replace('mesh.conf', documents(route('a'), route('b')));
  await running.untilNames('VirtualService', ['default/a', 'default/b']);
});

it('looks again when permissions change', async () => {
  const folder = await Folder.make();
  await mkdir(folder.at('sub'));
  const running = await RunningGalley.synced(folder.path);
  await folder.write('sub/a.yaml', route('a'));
  await chmod(folder.at('sub'), 0o755);
  await running.untilNames('VirtualService', ['default/a']);
});

function asJson(name: string): string {
  const spec = { hosts: [name], http: [{ route: [{ destination: { host: name } }] }] };
  return JSON.stringify({ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name }, spec });
}

/** Lets the watch and the coalescing come to rest, so that the next edit is the first after quiet. */
async function quiet(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
