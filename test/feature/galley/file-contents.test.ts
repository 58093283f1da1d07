import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { documents, Folder, RunningGalley, route } from './harness.ts';

const broken = 'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: broken\n';

it('takes the good documents of a file beside a broken one, and says where that is', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', documents(route('a'), broken, route('c')));
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/a', 'default/c']);
  const [problem, ...others] = running.diagnostics();
  expect(problem).toMatchObject({ code: 'XEB1004', level: 'error', at: { file: folder.at('a.yaml') } });
  expect(problem?.at?.line).toBeGreaterThanOrEqual(13);
  expect(others).toEqual([]);
});

it('keeps what was last read from a document that broke, until the file is whole again', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', documents(route('a'), route('b'), route('c')));
  const running = await RunningGalley.synced(folder.path);
  const before = running.galley.snapshot()?.objects.VirtualService;
  await folder.write('a.yaml', documents(route('a', { host: 'new' }), 'kind: [\n', route('c')));
  await running.until(() => running.diagnostics('XEB1004').length === 1);
  await running.until(() => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0] === 'new');
  expect(running.galley.snapshot()?.objects.VirtualService[1]).toBe(before?.[1]);
  expect(running.diagnostics('XEB1011').map(({ object }) => object?.name)).toEqual(['b']);
  await folder.write('a.yaml', documents(route('a'), route('c')));
  await running.untilNames('VirtualService', ['default/a', 'default/c']);
  expect(running.diagnostics()).toEqual([]);
});

it('keeps the last good version of an object that turned bad, also when the bad one is removed and the good one is not', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path);
  const good = running.galley.snapshot()?.objects.VirtualService[0];
  await folder.write('a.yaml', route('a', { host: 'not_a_host!' }));
  await running.until(() => running.diagnostics().some(({ level }) => level === 'error'));
  expect(running.galley.snapshot()?.objects.VirtualService[0]).toBe(good);
  const error = running.diagnostics().find(({ level }) => level === 'error');
  expect(error).toMatchObject({ object: { kind: 'VirtualService', namespace: 'default', name: 'a' } });
  expect(error?.at).toMatchObject({ file: folder.at('a.yaml'), line: 6 });
  expect(running.diagnostics('XEB1011')).toHaveLength(1);
  await folder.remove('a.yaml');
  await running.untilNames('VirtualService', []);
  expect(running.diagnostics()).toEqual([]);
});

it('never takes an object that was bad from the start, and takes it once it is repaired', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', documents(route('a', { host: 'not_a_host!' }), route('b')));
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/b']);
  expect(running.diagnostics('XEB1011')).toEqual([]);
  await folder.write('a.yaml', documents(route('a'), route('b')));
  await running.untilNames('VirtualService', ['default/a', 'default/b']);
});

it('says what cannot be read, and reads the rest', async () => {
  const folder = await Folder.make();
  await folder.write('good.yaml', route('good'));
  await mkdir(folder.at('folder.yaml'));
  await folder.write('folder.yaml/inside.yaml', route('inside'));
  await symlink('nowhere', folder.at('dangling.yaml'));
  execFileSync('sh', ['-c', 'mkfifo "$0"', folder.at('fifo.yaml')]);
  await folder.write(
    'junk.yaml',
    Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 256),
  );
  await folder.write('latin1.yaml', Buffer.from(documents(route('fine'), '# é\n' + route('latin')), 'latin1'));
  await folder.write('empty.yaml', '');
  await folder.write('comments.yaml', '# nothing\n---\n---\n# here\n');
  await folder.write('scalar.yaml', 'just text\n');
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/fine', 'default/good', 'default/inside']);
  const byFile = running.diagnostics().map(({ code, at }) => `${at?.file.slice(folder.path.length + 1)} ${code}`);
  expect(byFile).toEqual([
    'dangling.yaml XEB1001',
    'fifo.yaml XEB1001',
    'junk.yaml XEB1003',
    'latin1.yaml XEB1003',
    'scalar.yaml XEB1006',
  ]);
  await rm(folder.at('dangling.yaml'));
  await rm(folder.at('fifo.yaml'));
  await folder.write('junk.yaml', route('junk'));
  await running.until(() => running.diagnostics().length === 2);
  expect(running.names('VirtualService')).toContain('default/junk');
});

it('keeps the objects of a file that became unreadable', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a'));
  const running = await RunningGalley.synced(folder.path);
  await folder.write('a.yaml', Uint8Array.of(0, 1, 2));
  await running.until(() => running.diagnostics('XEB1003').length === 1);
  expect(running.names('VirtualService')).toEqual(['default/a']);
  await rm(folder.at('a.yaml'));
  await symlink('nowhere', folder.at('a.yaml'));
  await running.until(() => running.diagnostics('XEB1001').length === 1);
  expect(running.names('VirtualService')).toEqual(['default/a']);
});

it('reads 5 MB, and refuses more than 16 MB without reading', async () => {
  const folder = await Folder.make();
  const count = Math.ceil(5_000_000 / route('r00000').length);
  await folder.write('large.yaml', documents(...Array.from({ length: count }, (_, n) => route(`r${n}`))));
  await folder.write('huge.yaml', 'x'.repeat(16 * 1024 * 1024 + 1));
  const running = RunningGalley.start(folder.path);
  await running.until(() => running.galley.synced);
  expect(running.galley.snapshot()?.objects.VirtualService).toHaveLength(count);
  expect(running.diagnostics('XEB1002')).toHaveLength(1);
});

it('survives hostile YAML', async () => {
  const folder = await Folder.make();
  const levels = Array.from(
    { length: 30 },
    (_, n) =>
      `l${n}: &l${n} [${
        n === 0
          ? '1'
          : Array(9)
              .fill(`*l${n - 1}`)
              .join()
      }]`,
  );
  await folder.write('bomb.yaml', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n${levels.join('\n')}\n`);
  await folder.write('circle.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: circle, x: *m}\n');
  await folder.write('deep.yaml', `${'['.repeat(100_000)}\n`);
  await folder.write(
    'proto.yaml',
    documents(
      '__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n' + route('proto'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: data\n  labels: {__proto__: x}\ndata: {__proto__: polluted}\n',
    ),
  );
  const running = await RunningGalley.synced(folder.path);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect({}).not.toHaveProperty('polluted');
  expect(running.diagnostics('XEB1005').map(({ at }) => at?.file.split('/').at(-1))).toEqual([
    'bomb.yaml',
    'circle.yaml',
  ]);
  expect(running.diagnostics('XEB1004').map(({ at }) => at?.file.split('/').at(-1))).toEqual(['deep.yaml']);
  expect(running.names('VirtualService')).toEqual([]);
});

it('takes the first of two documents that define one object, and the other when it goes', async () => {
  const folder = await Folder.make();
  await folder.write('b.yaml', route('same', { host: 'second' }));
  const running = await RunningGalley.synced(folder.path);
  const host = (): string | undefined => running.galley.snapshot()?.objects.VirtualService[0]?.spec.hosts?.[0];
  await folder.write('a.yaml', route('same', { host: 'first' }));
  await running.until(() => host() === 'first');
  const [duplicate, ...others] = running.diagnostics('XEB1008');
  expect(others).toEqual([]);
  expect(duplicate).toMatchObject({ level: 'error', at: { file: folder.at('b.yaml'), line: 4 } });
  expect(duplicate?.message).toContain(`${folder.at('a.yaml')}:1`);
  await folder.remove('a.yaml');
  await running.until(() => host() === 'second');
  expect(running.diagnostics()).toEqual([]);
});

it('reads YAML as kubectl does, and warns where others read it otherwise', async () => {
  const folder = await Folder.make();
  await folder.write(
    'a.yaml',
    documents(
      'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  publishNotReadyAddresses: on\n  ports:\n  - port: 0120\n',
      'base: &base {a: 1}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  plain: "yes"\n',
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: ignored}\nspec: {flag: yes}\n',
    ),
  );
  const running = await RunningGalley.synced(folder.path);
  expect(running.galley.snapshot()?.objects.Service[0]?.spec).toMatchObject({
    publishNotReadyAddresses: true,
    ports: [{ port: 80 }],
  });
  const warnings = running.diagnostics('XEB1010');
  expect(warnings.map(({ path, at }) => [path.join('.'), at?.line, at?.column])).toEqual([
    ['spec.publishNotReadyAddresses', 5, 29],
    ['spec.ports.0.port', 7, 11],
  ]);
  expect(warnings.every(({ level }) => level === 'warning')).toBe(true);
});

it('merges << as kubectl does', async () => {
  const folder = await Folder.make();
  await folder.write(
    'a.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  annotations: &base {x: "1", y: "2"}\ndata:\n  <<: *base\n  "y": "3"\n',
  );
  const running = await RunningGalley.synced(folder.path);
  expect(running.galley.snapshot()?.objects.ConfigMap[0]?.spec.data).toEqual({ x: '1', true: '2', y: '3' });
});

it('reads the items of a List, also of a list of one kind', async () => {
  const folder = await Folder.make();
  const item = (name: string, head = ''): string =>
    `- ${head}metadata: {name: ${name}}\n  spec: {hosts: [${name}], http: [{route: [{destination: {host: ${name}}}]}]}\n`;
  const head = 'apiVersion: networking.istio.io/v1\n  kind: VirtualService\n  ';
  await folder.write('list.yaml', `apiVersion: v1\nkind: List\nitems:\n${item('a', head)}${item('b!', head)}`);
  await folder.write('own.yaml', `apiVersion: networking.istio.io/v1\nkind: VirtualServiceList\nitems:\n${item('c')}`);
  const running = await RunningGalley.synced(folder.path);
  expect(running.names('VirtualService')).toEqual(['default/a', 'default/c']);
  expect(running.diagnostics('XEB1014')).toMatchObject([{ at: { file: folder.at('list.yaml'), line: 10 } }]);
});

it('tells a typing mistake in a kind from a kind that has nothing to do with the mesh', async () => {
  const folder = await Folder.make();
  const bare = (apiVersion: string, kind: string): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}\n`;
  await folder.write(
    'a.yaml',
    documents(
      bare('apps/v1', 'StatefulSet'),
      bare('rbac.authorization.k8s.io/v1', 'ClusterRole'),
      bare('networking.istio.io/v1', 'VirtualServise'),
      bare('networking.istio.io/v1alpha4', 'VirtualService'),
      bare('cert-manager.io/v1', 'Certificate'),
    ),
  );
  const running = await RunningGalley.synced(folder.path);
  const found = running.diagnostics('XEB1007');
  expect(found.map(({ level }) => level)).toEqual(['error', 'error', 'info']);
  expect(found[0]?.message).toContain('did you mean VirtualService?');
  expect(found[1]?.message).toContain('networking.istio.io/v1 or');
  expect(running.diagnostics()).toEqual(found);
});
