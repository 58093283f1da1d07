import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { localDown } from './down.ts';
import type { LocalIo } from './local-io.ts';
import { readMeshReport } from './mesh-report.ts';
import { type LocalOptions, renderOptions } from './options.ts';
import { checkMachine } from './preflight.ts';
import { type Waited, waitUntilReady } from './progress.ts';
import { findRunning, startLogOf, sweepStates } from './state.ts';
import { renderStatus } from './status.ts';
import { supervise } from './supervisor.ts';

/**
 * Brings up the mesh of a folder and returns when every pod takes traffic; the mesh goes on in the background. Where it runs
 * already, waits and tells.
 */
export async function localUp(options: LocalOptions, io: LocalIo): Promise<number> {
  const problem = await findProblem(options);
  if (problem !== undefined) return fail(io, problem);
  const programs = await checkMachine(io);
  if (!programs.ok) return fail(io, programs.error);
  await sweepStates(options.stateRoot, io.kill);
  if (options.foreground) {
    const result = await runInForeground({ options, programs: programs.value, temporaryFolder: undefined }, io);
    return result === undefined ? 0 : fail(io, result);
  }
  return (await findRunning(options.stateFolder)) === undefined
    ? startInBackground(options, io)
    : joinRunning(options, io);
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
  io.err(`starting the mesh of ${options.folder}\n`);
  await mkdir(options.stateRoot, { recursive: true, mode: 0o755 });
  const logFile = startLogOf(options.stateFolder);
  const failed = new AbortController();
  const log = openSync(logFile, 'w');
  const [program, ...args] = io.self;
  const child = spawn(program, [...args, 'local', 'up', '--foreground', ...renderOptions(options)], {
    stdio: ['ignore', log, log],
    env: { ...io.env },
    detached: true,
  });
  closeSync(log);
  child.once('exit', () => failed.abort());
  child.once('error', () => failed.abort());
  const signal = AbortSignal.any([io.signal, failed.signal]);
  const waited = await waitUntilReady({ stateFolder: options.stateFolder, timeoutMs: options.timeoutMs, signal }, io);
  child.unref();
  if (waited !== 'ended') return show(options, io, waited);
  if (!failed.signal.aborted) {
    await localDown(options, io);
    return 1;
  }
  io.err(await readFile(logFile, 'utf8').catch(() => ''));
  await rm(logFile, { force: true });
  return 1;
}

async function joinRunning(options: LocalOptions, io: LocalIo): Promise<number> {
  io.err(`the mesh of ${options.folder} runs already\n`);
  const { stateFolder, timeoutMs } = options;
  return show(options, io, await waitUntilReady({ stateFolder, timeoutMs, signal: io.signal }, io));
}

async function show(options: LocalOptions, io: LocalIo, waited: Waited): Promise<number> {
  const supervisor = await findRunning(options.stateFolder);
  if (supervisor === undefined) return 1;
  const report = await readMeshReport(options.stateFolder);
  io.out(renderStatus({ options, supervisor, report, now: io.clock.now() }));
  if (waited === 'ready') return 0;
  const seconds = Math.round(options.timeoutMs / 1000);
  io.err(`not all pods are ready after ${seconds} s; they keep trying. Logs: ${join(options.stateFolder, 'logs')}\n`);
  return 1;
}
