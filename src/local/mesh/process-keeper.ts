import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { Clock } from '../../kit/clock.ts';
import type { Kill } from '../local-io.ts';

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** Who ran this long is started again at once. */
const STEADY_MS = 60_000;

export type ProcessSpec = {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Gets both stdout and stderr, appended. */
  readonly logFile: string;
  /** After SIGTERM. */
  readonly graceMs: number;
};

type Deps = { readonly clock: Clock; readonly kill: Kill; readonly onChange: () => void };

type Exit = { readonly code: number | undefined; readonly reason: string };

/** Keeps one process running: starts it again when it ends, later each time, and ends it with the signal. */
export class ProcessKeeper {
  readonly #spec: ProcessSpec;
  readonly #deps: Deps;
  #child: ChildProcess | undefined;
  #restarts = 0;
  #lastExit: string | undefined;

  constructor(spec: ProcessSpec, deps: Deps) {
    this.#spec = spec;
    this.#deps = deps;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** How it last ended by itself. */
  get lastExit(): string | undefined {
    return this.#lastExit;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, onChange } = this.#deps;
    let backoffMs = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      const started = clock.monotonic();
      const exit = await this.#runOnce(signal);
      if (signal.aborted) return;
      this.#lastExit = exit.reason;
      this.#restarts += 1;
      onChange();
      if (clock.monotonic() - started > STEADY_MS) backoffMs = FIRST_BACKOFF_MS;
      await clock.sleep(backoffMs, signal);
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
    }
  }

  async #runOnce(signal: AbortSignal): Promise<Exit> {
    const log = await open(this.#spec.logFile, 'a');
    try {
      const [program, ...args] = this.#spec.argv;
      // A group of its own: what it starts ends with it.
      const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd], env: this.#spec.env, detached: true });
      const exit = exitOf(child);
      this.#child = child;
      this.#deps.onChange();
      const stop = (): void => this.#signal('SIGTERM');
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const result = await this.#waitForEnd(exit, signal);
      signal.removeEventListener('abort', stop);
      return result;
    } finally {
      this.#signal('SIGKILL');
      this.#child = undefined;
      await log.close();
    }
  }

  /** Once told to stop, it has its grace and no longer. */
  async #waitForEnd(exit: Promise<Exit>, signal: AbortSignal): Promise<Exit> {
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      else signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const first = await Promise.race([exit, stopped]);
    if (first !== undefined) return first;
    const ended = new AbortController();
    const grace = this.#deps.clock.sleep(this.#spec.graceMs, ended.signal).then(() => undefined);
    const second = await Promise.race([exit, grace]);
    ended.abort();
    if (second !== undefined) return second;
    this.#signal('SIGKILL');
    return exit;
  }

  #signal(name: 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) this.#deps.kill(-pid, name);
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: undefined, reason: error.message }));
    child.once('exit', (code, signalName) => {
      resolve({ code: code ?? undefined, reason: signalName === null ? `exit code ${code}` : signalName });
    });
  });
}
