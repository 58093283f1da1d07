import { type FSWatcher, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Owner, replaceFiles } from './atomic-folder.ts';

/** Nobody but root can give files away. */
const owner: Owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xebec-atomic-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function contents(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder).filter((name) => !name.startsWith('..'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** The names that were moved into a folder while something was done. */
async function movesInto(folder: string, act: () => Promise<void>): Promise<readonly (string | null)[]> {
  const seen: (string | null)[] = [];
  const watcher: FSWatcher = watch(folder, (event, name) => {
    if (event === 'rename') seen.push(name);
  });
  onTestFinished(() => watcher.close());
  await act();
  await expect.poll(() => seen).toContain('..data');
  return seen;
}

describe('files that are replaced together', () => {
  test('all are there, for their owner only, and the old ones are gone', async () => {
    const folder = newFolder();
    await replaceFiles(folder, { key: 'k1', chain: 'c1' }, owner);
    expect(contents(folder)).toEqual({ key: 'k1', chain: 'c1' });
    const first = readlinkSync(join(folder, '..data'));
    await replaceFiles(folder, { key: 'k2', chain: 'c2' }, owner);
    expect(contents(folder)).toEqual({ key: 'k2', chain: 'c2' });
    const second = readlinkSync(join(folder, '..data'));
    expect(readdirSync(folder).sort()).toEqual(['..data', second, 'chain', 'key'].sort());
    expect(second).not.toBe(first);
    expect(statSync(join(folder, 'key')).mode & 0o777).toBe(0o400);
    expect(statSync(join(folder, second)).mode & 0o777).toBe(0o500);
  });

  test('a watch of the folder hears of the one move that changes all of them', async () => {
    const folder = newFolder();
    await replaceFiles(folder, { key: 'k1' }, owner);
    const moves = await movesInto(folder, () => replaceFiles(folder, { key: 'k2' }, owner));
    expect(moves).not.toContain('key');
  });

  test('a failure leaves what there was, and nothing else', async () => {
    const folder = newFolder();
    await replaceFiles(folder, { key: 'k1' }, owner);
    const before = readdirSync(folder);
    await expect(replaceFiles(folder, { key: 'k2', 'no/such/place': 'x' }, owner)).rejects.toThrow('ENOENT');
    expect(contents(folder)).toEqual({ key: 'k1' });
    expect(readdirSync(folder)).toEqual(before);
  });

  test('what a killed writer left is no hindrance', async () => {
    const folder = newFolder();
    await replaceFiles(folder, { key: 'k1' }, owner);
    await replaceFiles(folder, { key: 'k2' }, owner);
    rmSync(join(folder, 'key'));
    await replaceFiles(folder, { key: 'k3' }, owner);
    expect(contents(folder)).toEqual({ key: 'k3' });
  });
});
