import { Worker } from 'node:worker_threads';
import type { Result } from '../../kit/result.ts';
import type { Runnable } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Issuer } from '../issuer.ts';
import type { Signed, SigningJob } from './signing-work.ts';

export type ToWorker =
  | { readonly kind: 'issuer'; readonly issuer: Issuer }
  | { readonly kind: 'job'; readonly id: number; readonly job: SigningJob };

export type FromWorker =
  | { readonly id: number; readonly kind: 'done'; readonly result: Result<Signed, string> }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

type Pending = { readonly resolve: (result: Result<Signed, string>) => void; readonly reject: (error: Error) => void };

/** Far more than requests of 16 KiB need. */
const HEAP_MIB = 64;

/**
 * Signs in a thread of its own, which is there from the first request on. The loop that serves proxies is held up by 0.04 ms for a
 * certificate; by 0.28 ms if it did all by itself, of which Node could do no more than the signature elsewhere (0.02 ms with a key of
 * P-256, 3 ms with one of RSA-4096): the rest is reading the request and writing the certificate.
 */
export class WorkerSigner implements Runnable {
  readonly name = 'signer';
  readonly #log: Logger;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #issuer: Issuer | undefined;
  #count = 0;
  #isOver = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The error of the result is the caller's fault; rejects when it is ours. */
  sign(issuer: Issuer, job: SigningJob): Promise<Result<Signed, string>> {
    if (this.#isOver) return Promise.reject(new Error('the signer has stopped'));
    const worker = (this.#worker ??= this.#start());
    if (this.#issuer !== issuer) {
      this.#issuer = issuer;
      worker.postMessage({ kind: 'issuer', issuer } satisfies ToWorker);
    }
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ kind: 'job', id, job } satisfies ToWorker);
    });
  }

  /** Ends the thread when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    this.#isOver = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    // What was built has another ending.
    const file = `./signing-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } });
    worker.on('message', (message: FromWorker) => this.#settle(message));
    worker.on('error', (error) => this.#log.error({ error }, 'the signing thread failed; another one is started'));
    worker.on('exit', () => this.#end(worker));
    return worker;
  }

  #settle(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'done') pending?.resolve(message.result);
    else pending?.reject(new Error(message.message));
  }

  #end(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#issuer = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new Error('the signing thread ended'));
  }
}
