import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
const PATIENCE_MS = 10_000;

/** A cgroup of this name in every hierarchy: below it are all pods of a node, and nothing else. */
export async function createCgroups(name: string): Promise<void> {
  for (const hierarchy of (await hierarchies()).filter((folder) => folder === ROOT || !isUnified(folder))) {
    const folder = join(hierarchy, name);
    await mkdir(folder, { recursive: true });
    // A new cpuset is empty, and what is empty holds no process.
    for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((entry) => existsSync(join(hierarchy, entry))))
      await writeFile(join(folder, file), await readFile(join(hierarchy, file)));
  }
}

/** Their processes are gone or about to go. */
export async function removeCgroups(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, name));
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const error = await rmdir(folder).then(() => undefined, codeOf);
    if (error === undefined || error === 'ENOENT') return;
    if (error !== 'EBUSY' || performance.now() > deadline) throw new Error(`cannot remove ${folder}: ${error}`);
    await sleep(20);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** One with version 2; with version 1 one per controller, some of them under two names, and perhaps one of version 2 without controllers. */
async function hierarchies(): Promise<readonly string[]> {
  if (isUnified(ROOT)) return [ROOT];
  const folders = readdirSync(ROOT).map((entry) => join(ROOT, entry));
  const real = await Promise.all(folders.map((folder) => realpath(folder)));
  return [...new Set(real)];
}

function isUnified(folder: string): boolean {
  return existsSync(join(folder, 'cgroup.controllers'));
}
