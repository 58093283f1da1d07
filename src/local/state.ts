import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldsOf, listAt, numberAt, parseFields, textAt } from './fields.ts';
import type { Kill } from './local-io.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import { type Publish, parsePublish, renderPublish } from './publish.ts';

/** What a supervisor leaves on disk so that others find it, and so that the next one can clean up after it. */
export type Supervisor = {
  readonly process: ProcessIdentity;
  /** Holds the mesh's namespaces; undefined while it starts. */
  readonly mesh: ProcessIdentity | undefined;
  /** The folder that was named. */
  readonly root: string;
  /** The folder whose YAML is applied. */
  readonly folder: string;
  readonly publish: readonly Publish[];
  readonly adminPort: number;
  /** A copy of somebody's folder that goes with the mesh. */
  readonly temporaryFolder: string | undefined;
};

const SUPERVISOR_FILE = 'supervisor.json';
const STATE_ROOT = '/run/xebec';

export function stateRootFrom(env: Readonly<Record<string, string | undefined>>): string {
  return env['XEBEC_STATE'] || STATE_ROOT;
}

/** One state folder per folder of YAML. */
export function stateFolderOf(stateRoot: string, root: string): string {
  return join(stateRoot, createHash('sha256').update(root).digest('hex').slice(0, 8));
}

export async function readSupervisor(stateFolder: string): Promise<Supervisor | undefined> {
  const text = await readFile(join(stateFolder, SUPERVISOR_FILE), 'utf8').catch(() => '');
  const fields = parseFields(text);
  if (fields === undefined) return undefined;
  const process = readIdentity(fields['process']);
  if (process === undefined) return undefined;
  const publish = listAt(fields, 'publish').flatMap((pair) => {
    const parsed = parsePublish(String(pair));
    return parsed.ok ? [parsed.value] : [];
  });
  return {
    process,
    mesh: readIdentity(fields['mesh']),
    root: textAt(fields, 'root'),
    folder: textAt(fields, 'folder'),
    publish,
    adminPort: numberAt(fields, 'adminPort'),
    temporaryFolder: textAt(fields, 'temporaryFolder') || undefined,
  };
}

export async function writeSupervisor(stateFolder: string, supervisor: Supervisor): Promise<void> {
  const text = JSON.stringify({ ...supervisor, publish: supervisor.publish.map(renderPublish) }, undefined, 2);
  await writeAtomically(join(stateFolder, SUPERVISOR_FILE), `${text}\n`);
}

/** Readers see the old text or the new one. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  await writeFile(`${file}.next`, text, { mode: 0o644 });
  await rename(`${file}.next`, file);
}

/** The supervisor of a state folder, if it still runs. */
export async function findRunning(stateFolder: string): Promise<Supervisor | undefined> {
  const supervisor = await readSupervisor(stateFolder);
  return supervisor !== undefined && (await isAlive(supervisor.process)) ? supervisor : undefined;
}

/**
 * Takes a state folder for a supervisor; false if a running one has it. The folder appears with its owner's name in it, so
 * two that start at once cannot both believe it theirs.
 */
export async function claimState(stateFolder: string, supervisor: Supervisor): Promise<boolean> {
  const stateRoot = join(stateFolder, '..');
  await mkdir(stateRoot, { recursive: true, mode: 0o755 });
  for (;;) {
    const fresh = await mkdtemp(join(stateRoot, `claim-${supervisor.process.pid}-`));
    // Envoy's user has its place inside.
    await chmod(fresh, 0o755);
    await writeSupervisor(fresh, supervisor);
    for (const name of ['logs', 'pods', 'bin']) await mkdir(join(fresh, name));
    if (await becomes(fresh, stateFolder)) return true;
    await rm(fresh, { recursive: true, force: true });
    if ((await findRunning(stateFolder)) !== undefined) return false;
    await removeState(stateFolder);
  }
}

async function becomes(fresh: string, stateFolder: string): Promise<boolean> {
  try {
    await rename(fresh, stateFolder);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST'))
      return false;
    throw error;
  }
}

/** Everything a supervisor that is gone left behind. Its namespaces and processes went with it. */
export async function removeState(stateFolder: string): Promise<void> {
  const supervisor = await readSupervisor(stateFolder);
  if (supervisor?.temporaryFolder !== undefined) await rm(supervisor.temporaryFolder, { recursive: true, force: true });
  await rm(stateFolder, { recursive: true, force: true });
}

/** What a supervisor in the background said before it had a state folder, and since. */
export function startLogOf(stateFolder: string): string {
  return `${stateFolder}.log`;
}

/** Cleans up after all supervisors that were killed. Returns how many there were. */
export async function sweepStates(stateRoot: string, kill: Kill): Promise<number> {
  const names = await readdir(stateRoot).catch(() => []);
  let swept = 0;
  for (const name of names.filter((entry) => /^(?:[0-9a-f]{8}|claim-\d+-.*)$/.test(entry))) {
    const folder = join(stateRoot, name);
    const supervisor = await readSupervisor(folder);
    if (supervisor !== undefined && (await isAlive(supervisor.process))) continue;
    const claimant = Number(/^claim-(\d+)-/.exec(name)?.[1]);
    if (claimant > 0 && (await identify(claimant)) !== undefined) continue;
    // It dies with its supervisor; if the kernel did not see to it, we do.
    if (supervisor?.mesh !== undefined && (await isAlive(supervisor.mesh))) kill(supervisor.mesh.pid, 'SIGKILL');
    await removeState(folder);
    await rm(startLogOf(folder), { force: true });
    swept += 1;
  }
  return swept;
}

export async function identifySelf(pid: number): Promise<ProcessIdentity> {
  const own = await identify(pid);
  if (own === undefined) throw new Error('cannot read /proc/self; is /proc mounted?');
  return own;
}

function readIdentity(value: unknown): ProcessIdentity | undefined {
  const fields = fieldsOf(value);
  const pid = numberAt(fields, 'pid');
  const startTime = textAt(fields, 'startTime');
  return pid > 0 && startTime !== '' ? { pid, startTime } : undefined;
}
