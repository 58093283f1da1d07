import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { TlsCall } from './tls-client.ts';

export type LoadTarget = {
  readonly name: string;
  readonly call: Omit<TlsCall, 'options'>;
  /** Whether the server may have any name, as in the mesh, where it has an identity. */
  readonly isAnyName: boolean;
};

export type ToLoad =
  | { readonly kind: 'start'; readonly perSecond: number }
  | { readonly kind: 'use'; readonly targets: readonly LoadTarget[] };

export type FromLoad =
  | { readonly kind: 'used' }
  | {
      readonly kind: 'called';
      readonly name: string;
      readonly fingerprint: string;
      readonly failure: string | undefined;
    };

type LoadReport = { readonly calls: number; readonly perSecond: number; readonly failures: readonly string[] };

const THREADS = 2;
const PATIENCE_MS = 30_000;

/** Requests over TLS from threads of their own, each with a handshake of its own, until it is stopped. */
export class TlsLoad {
  readonly #workers: readonly Worker[];
  readonly #latest = new Map<string, string>();
  readonly #failures: string[] = [];
  readonly #began = performance.now();
  #calls = 0;

  private constructor() {
    const file = new URL('./apps/tls-load.ts', import.meta.url);
    this.#workers = Array.from({ length: THREADS }, () => new Worker(file));
    for (const worker of this.#workers) worker.on('message', (message: FromLoad) => this.#take(message));
  }

  static async start(targets: readonly LoadTarget[], perSecond: number): Promise<TlsLoad> {
    const load = new TlsLoad();
    await load.use(targets);
    load.#send({ kind: 'start', perSecond: perSecond / THREADS });
    return load;
  }

  /** From now on these, in turn; over when no call to others is under way. */
  async use(targets: readonly LoadTarget[]): Promise<void> {
    const used = this.#workers.map(async (worker) => {
      for (;;) {
        const [message] = (await once(worker, 'message')) as [FromLoad];
        if (message.kind === 'used') return;
      }
    });
    this.#send({ kind: 'use', targets });
    await Promise.all(used);
  }

  /** The certificate that a target showed last. */
  latest(name: string): string | undefined {
    return this.#latest.get(name);
  }

  /** Waits until so many calls more have been answered. */
  async more(count: number): Promise<void> {
    const [goal, deadline] = [this.#calls + count, performance.now() + PATIENCE_MS];
    while (this.#calls < goal) {
      if (performance.now() > deadline) throw new Error(`only ${this.#calls} calls of ${goal} were answered`);
      await sleep(5);
    }
  }

  async stop(): Promise<LoadReport> {
    await this.use([]);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    const seconds = (performance.now() - this.#began) / 1000;
    return { calls: this.#calls, perSecond: Math.round(this.#calls / seconds), failures: this.#failures };
  }

  #send(message: ToLoad): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  #take(message: FromLoad): void {
    if (message.kind === 'used') return;
    this.#calls += 1;
    this.#latest.set(message.name, message.fingerprint);
    if (message.failure !== undefined) this.#failures.push(`${message.name}: ${message.failure}`);
  }
}
