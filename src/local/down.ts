import { rm } from 'node:fs/promises';
import type { LocalIo } from './local-io.ts';
import type { LocalOptions } from './options.ts';
import { isAlive } from './process-identity.ts';
import { findRunning, readSupervisor, removeState, startLogOf, sweepStates } from './state.ts';

const GRACE_MS = 12_000;
const POLL_MS = 50;

/** Ends the mesh of a folder and cleans up after every one that was killed. Nothing to do is fine. */
export async function localDown(options: LocalOptions, io: LocalIo): Promise<number> {
  if (io.uid !== 0 && (await readSupervisor(options.stateFolder)) !== undefined) {
    io.err('xebec local: the mesh belongs to root: run this with sudo\n');
    return 1;
  }
  const running = await findRunning(options.stateFolder);
  const swept = await sweepStates(options.stateRoot, io.kill);
  if (running === undefined) {
    io.err(swept > 0 ? `cleaned up after ${swept} killed\n` : `no mesh of ${options.root} runs\n`);
    return 0;
  }
  io.kill(running.process.pid, 'SIGTERM');
  const deadline = io.clock.monotonic() + GRACE_MS;
  const never = new AbortController();
  while ((await isAlive(running.process)) && io.clock.monotonic() < deadline)
    await io.clock.sleep(POLL_MS, never.signal);
  if (await isAlive(running.process)) io.kill(running.process.pid, 'SIGKILL');
  await removeState(options.stateFolder);
  await rm(startLogOf(options.stateFolder), { force: true });
  io.err(`the mesh of ${options.root} is down\n`);
  return 0;
}
