import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../kit/result.ts';
import { describeDiskTrouble, isDiskFull } from './disk-trouble.ts';
import { parseFields, textAt } from './fields.ts';
import type { LocalIo } from './local-io.ts';
import { type LocalOptions, renderOptions } from './options.ts';
import { childrenOf, identify } from './process-identity.ts';
import type { Programs } from './programs.ts';
import { adminSocket, publishSocket } from './publish.ts';
import { ListenError, Relay } from './relay.ts';
import { claimState, identifySelf, removeState, type Supervisor, writeSupervisor } from './state.ts';

const STOP_GRACE_MS = 8_000;

export type SupervisorInputs = {
  readonly options: LocalOptions;
  readonly programs: Programs;
  readonly temporaryFolder: string | undefined;
};

/**
 * Keeps the mesh of one folder until the signal aborts: the outer ends of published ports, and the process that holds the
 * mesh's namespaces. That one dies with us, even of kill -9, and the kernel takes everything inside along.
 */
export async function supervise(
  inputs: SupervisorInputs,
  io: LocalIo,
  signal: AbortSignal,
): Promise<Result<undefined, string>> {
  const { options } = inputs;
  const supervisor = await describe(inputs, io);
  const claimed = await tryToClaim(options, supervisor);
  if (!claimed.ok) return claimed;
  const relays: Relay[] = [];
  try {
    const opened = await openRelays(options, relays);
    if (!opened.ok) return opened;
    return await runChild(inputs, { io, supervisor, signal });
  } finally {
    await Promise.all(relays.map((relay) => relay.close()));
    await removeState(options.stateFolder);
  }
}

async function tryToClaim(options: LocalOptions, supervisor: Supervisor): Promise<Result<undefined, string>> {
  try {
    const isOurs = await claimState(options.stateFolder, supervisor);
    return isOurs ? ok(undefined) : err(`the mesh of ${options.root} runs already`);
  } catch (error) {
    return err(describeDiskTrouble(error));
  }
}

async function describe({ options, temporaryFolder }: SupervisorInputs, io: LocalIo): Promise<Supervisor> {
  return {
    process: await identifySelf(io.pid),
    mesh: undefined,
    root: options.root,
    folder: options.folder,
    publish: options.publish,
    adminPort: options.adminPort,
    temporaryFolder,
  };
}

async function openRelays(options: LocalOptions, relays: Relay[]): Promise<Result<undefined, string>> {
  const { stateFolder, publish, adminPort } = options;
  const wanted = [
    ...publish.map((pair) => ({
      port: pair.hostPort,
      path: publishSocket(stateFolder, pair),
      remedy: `choose another with --publish PORT:${pair.servicePort}`,
    })),
    { port: adminPort, path: adminSocket(stateFolder), remedy: 'choose another with --admin-port PORT' },
  ];
  for (const { port, path, remedy } of wanted) {
    const relay = new Relay({ listen: { host: '127.0.0.1', port }, target: () => ({ path }) });
    try {
      await relay.open();
      relays.push(relay);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${error.code})`;
      return err(`port ${port} on 127.0.0.1 ${reason}: ${remedy}`);
    }
  }
  return ok(undefined);
}

type Running = { readonly io: LocalIo; readonly supervisor: Supervisor; readonly signal: AbortSignal };

async function runChild(
  { options, programs }: SupervisorInputs,
  { io, supervisor, signal }: Running,
): Promise<Result<undefined, string>> {
  const logFile = join(options.stateFolder, 'logs', 'control-plane.log');
  const child = spawnMesh({ options, programs, io, logFile });
  const ended = endOf(child);
  const ending = new AbortController();
  const stop = (): void => {
    child.stdin?.end();
    void io.clock.sleep(STOP_GRACE_MS, ending.signal).then(() => child.kill('SIGKILL'));
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  if (child.pid !== undefined) await recordMesh(options.stateFolder, supervisor, child.pid);
  const how = await ended;
  ending.abort();
  signal.removeEventListener('abort', stop);
  if (signal.aborted) return ok(undefined);
  const complaint = (await isDiskFull(options.stateFolder))
    ? `the disk of ${options.stateFolder} is full: make room`
    : lastComplaint(readFileSync(logFile, 'utf8'));
  return err(`the mesh ended (${how})${complaint === '' ? '' : `: ${complaint}`}`);
}

type SpawnInputs = {
  readonly options: LocalOptions;
  readonly programs: Programs;
  readonly io: LocalIo;
  readonly logFile: string;
};

function spawnMesh({ options, programs, io, logFile }: SpawnInputs): ChildProcess {
  const log = openSync(logFile, 'a');
  const namespaces = ['--net', '--pid', '--mount', '--ipc', '--uts', '--mount-proc', '--propagation', 'private'];
  const command = [...io.self, 'local', 'mesh', ...renderOptions(options)];
  // setpriv: unshare dies when we do. unshare: the first process inside dies when unshare does.
  const args = [
    '--pdeathsig',
    'KILL',
    programs.unshare,
    ...namespaces,
    '--fork',
    '--kill-child=KILL',
    '--',
    ...command,
  ];
  // A group of its own, so that Ctrl-C reaches us alone and we end it in order.
  const child = spawn(programs.setpriv, args, { stdio: ['pipe', log, log], env: { ...io.env }, detached: true });
  child.stdin?.on('error', () => undefined);
  closeSync(log);
  return child;
}

/** The first process inside, as seen from here, for those who enter the mesh or clean up after it. */
async function recordMesh(stateFolder: string, supervisor: Supervisor, unsharePid: number): Promise<void> {
  const unshare = await identify(unsharePid);
  if (unshare !== undefined) await writeSupervisor(stateFolder, { ...supervisor, mesh: unshare });
}

/** The first process inside the mesh's namespaces, by its number outside. */
export async function findMeshPid({ mesh }: Supervisor): Promise<number | undefined> {
  return mesh === undefined ? undefined : (await childrenOf(mesh.pid))[0];
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signalName) => resolve(signalName ?? `exit code ${code}`));
  });
}

/** The last thing a log complains of: a line that is no JSON (a crash), or one of a level that needs a person. */
export function lastComplaint(log: string): string {
  for (const line of log.trim().split('\n').toReversed()) {
    const fields = parseFields(line);
    if (fields === undefined) return line.trim();
    if (textAt(fields, 'level') !== 'error') continue;
    const error = fields['error'];
    return `${textAt(fields, 'msg')}${typeof error === 'string' ? `: ${error}` : ''}`;
  }
  return '';
}
