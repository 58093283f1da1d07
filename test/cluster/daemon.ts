import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type DaemonInputs = {
  readonly name: string;
  readonly logFile: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that runs the program, for example `nsenter --net=…`. */
  readonly prefix?: readonly string[];
};

/**
 * A process in a session of its own, so that a Ctrl-C in the terminal is ours to handle, and killed by the kernel when we end, however
 * we end.
 */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #inputs: DaemonInputs;

  constructor(inputs: DaemonInputs) {
    const { program, args, prefix = [], environment = {} } = inputs;
    const log = openSync(inputs.logFile, 'a');
    this.#inputs = inputs;
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', ...prefix, program, ...args], {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    // Not to be found, for instance: exitCode and signalCode say nothing then, but pid is undefined.
    this.#child.on('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until it answers; one that ended, or is silent for too long, is an error with the end of its log. */
  async waitUntil(isReady: () => Promise<boolean>, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await isReady())) {
      if (this.hasEnded) throw this.#failure('ended');
      if (performance.now() > deadline) throw this.#failure(`is not ready after ${withinMs} ms`);
      await sleep(25);
    }
  }

  /** Asks it to end, and kills it (and what it started) when it has not after `patienceMs`. */
  async stop(patienceMs = 0): Promise<void> {
    if (this.pid === undefined) return;
    const ended = this.hasEnded ? undefined : once(this.#child, 'exit');
    if (patienceMs > 0 && ended !== undefined) {
      this.#signal('SIGTERM');
      await Promise.race([ended, sleep(patienceMs)]);
    }
    this.#signal('SIGKILL');
    await ended;
  }

  /** Freezes or thaws it: a process that is there and does not answer. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#signal(name);
  }

  #signal(name: NodeJS.Signals): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, name);
    } catch {
      // No such group: all of it has ended.
    }
  }

  #failure(what: string): Error {
    const { name, logFile } = this.#inputs;
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15);
    return new Error(`${name} ${what}; ${logFile} ends:\n${lines.join('\n')}`);
  }
}
