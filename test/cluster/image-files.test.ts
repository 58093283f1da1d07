import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { digestFiles, readContext } from './image-files.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function createFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'context-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

async function pathsIn(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await readContext(await createFolder(files))).map(({ path }) => path);
}

test('a context is everything that .dockerignore leaves', async () => {
  expect(await pathsIn({ 'a.txt': '', 'b/c.txt': '' })).toEqual(['a.txt', 'b/c.txt']);
  const tree = {
    'build/image/x': '',
    'build/other': '',
    'src/a.ts': '',
    'src/deep/a.test.ts': '',
    'node_modules/p/x': '',
  };
  expect(await pathsIn({ ...tree, '.dockerignore': '*\n!build/image\n' })).toEqual(['build/image/x']);
  expect(
    await pathsIn({ ...tree, '.dockerignore': '# all tests\n.dockerignore\nnode_modules/\n**/*.test.ts\n/build\n' }),
  ).toEqual(['src/a.ts']);
});

test('another content or path is another digest', async () => {
  const digest = async (files: Readonly<Record<string, string>>) =>
    digestFiles(await readContext(await createFolder(files)));
  const digests = [{ a: '1' }, { a: '2' }, { b: '1' }, { a: '1', b: '1' }].map(digest);
  expect(new Set(await Promise.all(digests)).size).toBe(4);
  expect(await digest({ a: '1' })).toBe(await digest({ a: '1' }));
});
