import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../kit/result.ts';
import { describeDiskTrouble } from './disk-trouble.ts';
import type { LocalIo } from './local-io.ts';
import { readMeshReport } from './mesh-report.ts';
import { type LocalOptions, renderOptions } from './options.ts';
import { checkMachine } from './preflight.ts';
import { type Waited, waitUntilReady } from './progress.ts';
import { renderPublish } from './publish.ts';
import { findRunning, type Supervisor, startLogOf, sweepStates } from './state.ts';
import { readStanding, renderStatus } from './status.ts';
import { supervise } from './supervisor.ts';

/**
 * Brings up the mesh of a folder and returns when every pod takes traffic; the mesh goes on in the background. Where it runs
 * already, waits and tells.
 */
export async function localUp(options: LocalOptions, io: LocalIo): Promise<number> {
  const problem = await findProblem(options);
  if (problem !== undefined) {
    io.err(`xebec local: ${problem}\n`);
    return 2;
  }
  const programs = await checkMachine(io);
  if (!programs.ok) return fail(io, programs.error);
  await sweepStates(options.stateRoot, io.kill);
  if (options.foreground) {
    const result = await runInForeground({ options, programs: programs.value, temporaryFolder: undefined }, io);
    return result === undefined ? 0 : fail(io, result);
  }
  const running = await findRunning(options.stateFolder);
  return running === undefined ? startInBackground(options, io) : joinRunning(options, running, io);
}

async function findProblem({ root, meshConfig }: LocalOptions): Promise<string | undefined> {
  const found = await stat(root).catch(() => undefined);
  if (found === undefined) return `${root} does not exist: name a folder of YAML, such as samples/bookinfo`;
  if (!found.isDirectory()) return `${root} is a file: name the folder it is in`;
  if (meshConfig !== undefined && (await stat(meshConfig).catch(() => undefined)) === undefined) {
    return `${meshConfig} does not exist: --mesh-config names a file`;
  }
  return undefined;
}

function fail(io: LocalIo, message: string): number {
  io.err(`xebec local: ${message}\n`);
  return 1;
}

/** Supervises until the signal, telling when all is ready; undefined when it ended as asked. */
export async function runInForeground(
  inputs: Parameters<typeof supervise>[0],
  io: LocalIo,
): Promise<string | undefined> {
  const { options } = inputs;
  const ended = new AbortController();
  const supervised = supervise(inputs, io, io.signal).finally(() => ended.abort());
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const waited = await waitUntilReady({ stateFolder: options.stateFolder, timeoutMs: options.timeoutMs, signal }, io);
  if (waited !== 'ended') await show(options, io, waited);
  const result = await supervised;
  return result.ok ? undefined : result.error;
}

async function startInBackground(options: LocalOptions, io: LocalIo): Promise<number> {
  const logFile = startLogOf(options.stateFolder);
  const log = await openLog(options.stateRoot, logFile);
  if (!log.ok) return fail(io, log.error);
  io.err(`starting the mesh of ${options.folder}\n`);
  const failed = new AbortController();
  const [program, ...args] = io.self;
  const child = spawn(program, [...args, 'local', 'up', '--foreground', ...renderOptions(options)], {
    stdio: ['ignore', log.value, log.value],
    env: { ...io.env },
    detached: true,
  });
  closeSync(log.value);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  void ended.then(() => failed.abort());
  const signal = AbortSignal.any([io.signal, failed.signal]);
  const waited = await waitUntilReady({ stateFolder: options.stateFolder, timeoutMs: options.timeoutMs, signal }, io);
  if (waited !== 'ended') {
    child.unref();
    return show(options, io, waited);
  }
  if (io.signal.aborted) {
    // It may not have said yet that it runs, so nobody else knows it.
    if (child.pid !== undefined) io.kill(child.pid, 'SIGTERM');
    await ended;
    await rm(logFile, { force: true });
    io.err('stopped: nothing is left of it\n');
    return 1;
  }
  io.err(await readFile(logFile, 'utf8').catch(() => ''));
  await rm(logFile, { force: true });
  return 1;
}

async function openLog(stateRoot: string, logFile: string): Promise<Result<number, string>> {
  try {
    await mkdir(stateRoot, { recursive: true, mode: 0o755 });
    return ok(openSync(logFile, 'w'));
  } catch (error) {
    return err(describeDiskTrouble(error));
  }
}

async function joinRunning(options: LocalOptions, running: Supervisor, io: LocalIo): Promise<number> {
  const asked = renderPorts(options);
  const has = renderPorts(running);
  const more = asked === has ? '' : ` with ${has}; for other ports, end it first: xebec local down ${options.root}`;
  io.err(`the mesh of ${options.folder} runs already${more}\n`);
  const { stateFolder, timeoutMs } = options;
  const isReady = (await readMeshReport(stateFolder))?.ready === true;
  const waited = isReady ? 'ready' : await waitUntilReady({ stateFolder, timeoutMs, signal: io.signal }, io);
  return waited === 'ended' ? 1 : show(options, io, waited);
}

function renderPorts({ publish, adminPort }: Pick<Supervisor, 'publish' | 'adminPort'>): string {
  return `--publish ${publish.map(renderPublish).join(' --publish ')} --admin-port ${adminPort}`;
}

async function show(options: LocalOptions, io: LocalIo, waited: Waited): Promise<number> {
  const supervisor = await findRunning(options.stateFolder);
  if (supervisor === undefined) return 1;
  io.out(renderStatus(await readStanding(options, supervisor, io)));
  if (waited === 'ready') return 0;
  const seconds = Math.round(options.timeoutMs / 1000);
  io.err(`not all pods are ready after ${seconds} s; they keep trying. Logs: ${join(options.stateFolder, 'logs')}\n`);
  return 1;
}
