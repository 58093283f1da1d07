import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { party, pluggedFiles } from '../testing/pki.ts';
import { settled } from '../testing/replica.ts';
import type { AuthorityFiles } from './files.ts';
import { FolderSource } from './folder-source.ts';
import { readMaterial } from './material.ts';
import { RootFile } from './root-file.ts';
import type { Reading } from './store.ts';

const now = Math.floor(Date.now() / 1000) * 1000;
const root = party('root', now);

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xebec-cacerts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function write(folder: string, files: AuthorityFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

/** As the kubelet does: a new folder of that moment, and one link that is moved over to it. */
async function mount(folder: string, moment: string, files: AuthorityFiles): Promise<void> {
  await write(join(folder, moment), files);
  await symlink(moment, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const name of Object.keys(files)) await symlink(join('..data', name), join(folder, name)).catch(() => undefined);
}

function signerIn(reading: Reading): string | undefined {
  if (reading.kind !== 'found') return undefined;
  const material = readMaterial(reading.stored.files, now);
  return material.ok ? material.value.chain[0].toString() : material.error;
}

test('a folder is read each time, also when a mounted Secret is swapped again and again', async () => {
  const folder = await temporaryFolder();
  const source = new FolderSource(folder, new ManualClock());
  for (const name of ['first', 'second', 'third']) {
    const signer = party(name, now, root);
    await mount(folder, `..${name}`, pluggedFiles(signer, [], [root]));
    expect(signerIn(await source.read())).toBe(signer.certificate);
  }
});

test('a folder of plain files is read as well, and is the same while it says the same', async () => {
  const folder = await temporaryFolder();
  await write(folder, { ...pluggedFiles(root, [], [root]), 'notes.txt': 'mine' });
  const source = new FolderSource(folder, new ManualClock());
  const [one, two] = [await source.read(), await source.read()];
  expect(one).toMatchObject({ kind: 'found' });
  expect(one.kind === 'found' && Object.keys(one.stored.files)).not.toContain('notes.txt');
  expect(one).toEqual(two);
  expect(one.kind === 'found' && two.kind === 'found' && one.stored === two.stored).toBe(true);
});

test.each([
  ['that is not there', (folder: string) => rm(folder, { recursive: true })],
  ['with nothing in it', () => Promise.resolve()],
  ['with empty files, as of an optional Secret', (folder: string) => write(folder, { 'ca-cert.pem': '' })],
])('a folder %s says nothing', async (_, prepare) => {
  const folder = await temporaryFolder();
  await prepare(folder);
  expect(await new FolderSource(folder, new ManualClock()).read()).toEqual({ kind: 'absent' });
});

test('a folder whose files cannot be read says so', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'ca-key.pem'));
  expect(await new FolderSource(folder, new ManualClock()).read()).toMatchObject({ kind: 'unreadable' });
  await rm(join(folder, 'ca-key.pem'), { recursive: true });
  await writeFile(join(folder, 'ca-cert.pem'), Buffer.alloc(2 << 20));
  expect(await new FolderSource(folder, new ManualClock()).read()).toMatchObject({
    kind: 'unreadable',
    reason: expect.stringContaining('more than 1048576 bytes') as unknown,
  });
});

test('a folder is looked at every second, until the end', async () => {
  const clock = new ManualClock();
  const end = new AbortController();
  let looks = 0;
  const watching = new FolderSource('/nowhere', clock).watch(() => (looks += 1), end.signal);
  await settled(clock);
  await clock.advance(3_000);
  expect(looks).toBe(4);
  end.abort();
  await watching;
  expect(clock.sleeping).toBe(0);
});

test('a file of other roots is read each time, and one that turned bad changes nothing', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'roots.pem');
  const file = new RootFile(path);
  expect(await file.load()).toMatchObject({ reason: expect.stringContaining('ENOENT') as unknown });
  const other = party('other', now);
  await writeFile(path, root.certificate + other.certificate);
  expect(await file.load()).toBeUndefined();
  const texts = (): readonly string[] => file.roots.map((certificate) => certificate.toString());
  expect(texts()).toEqual([root.certificate, other.certificate]);
  for (const text of ['', 'noise', root.certificate + other.certificate.slice(0, 100)]) {
    await writeFile(path, text);
    expect(await file.load()).toEqual({
      reason: `${path} holds what is no certificate`,
      remedy: `let ${path} be a file of PEM certificates`,
    });
    expect(texts()).toEqual([root.certificate, other.certificate]);
  }
  await writeFile(path, other.certificate);
  await file.load();
  expect(texts()).toEqual([other.certificate]);
});
