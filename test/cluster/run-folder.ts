import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'xebec-cluster-';
const ONE_DAY_MS = 86_400_000;

/** A folder of this run for data, keys and logs. Its name carries our pid, so that a later run knows what was left behind. */
export function createRunFolder(): string {
  removeLeftBehind();
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Folders of runs that ended a day ago or more: until then somebody may want to read the logs of a failure. */
function removeLeftBehind(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(tmpdir(), name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    // The data of etcd is large, and nobody reads it.
    rmSync(age > ONE_DAY_MS ? folder : join(folder, 'etcd'), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
