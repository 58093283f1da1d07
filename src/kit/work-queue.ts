import { ChangeSignal } from './change-signal.ts';
import type { Clock } from './clock.ts';
import type { Runnable } from './run-group.ts';

/** What is to become of a key that was worked on. */
export type WorkOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly afterMs: number }
  /** The pause before the next try grows with each failure in a row; `leastMs` is what somebody asked for. */
  | { readonly kind: 'failed'; readonly leastMs?: number };

export type WorkQueueDeps<K> = {
  readonly name: string;
  readonly clock: Clock;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  readonly work: (key: K, signal: AbortSignal) => Promise<WorkOutcome>;
  /** The work threw: a fault of ours, which hurts this key alone. */
  readonly onThrow: (key: K, error: unknown) => void;
  /** After so many failures in a row. */
  readonly pauseMs: (failures: number) => number;
};

/** A timer cannot be longer than 24 days, and a machine may sleep meanwhile. */
const MAX_SLEEP_MS = 3_600_000;

/**
 * Keys to be worked on: each once, however often it was added; never twice at a time; and once more when it was added while it was
 * worked on. A key that fails waits longer each time, and keeps nobody else waiting.
 */
export class WorkQueue<K> implements Runnable {
  readonly name: string;
  readonly #deps: WorkQueueDeps<K>;
  readonly #changes = new ChangeSignal();
  readonly #ready = new Set<K>();
  /** Those that are not to wait for the others. */
  readonly #urgent = new Set<K>();
  readonly #running = new Map<K, Promise<void>>();
  /** Added while they were worked on. */
  readonly #dirty = new Set<K>();
  /** When a key is to be looked at again, by the monotonic clock. */
  readonly #dueAt = new Map<K, number>();
  readonly #failures = new Map<K, number>();
  /** Nothing is due before. */
  #nextDueAt = Number.POSITIVE_INFINITY;

  constructor(deps: WorkQueueDeps<K>) {
    this.name = deps.name;
    this.#deps = deps;
  }

  /** How many keys wait for their turn, or have it. */
  get backlog(): number {
    return this.#urgent.size + this.#ready.size + this.#running.size;
  }

  /** How many keys failed when they were worked on last. */
  get failing(): number {
    return this.#failures.size;
  }

  /** Has a key worked on in its turn, or before all that wait for theirs. */
  add(key: K, turn: 'first' | 'in turn' = 'in turn'): void {
    this.#dueAt.delete(key);
    if (this.#running.has(key)) this.#dirty.add(key);
    else if (turn === 'first') {
      this.#ready.delete(key);
      this.#urgent.add(key);
    } else if (!this.#urgent.has(key)) this.#ready.add(key);
    this.#changes.raise();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#promote();
      this.#start(signal);
      await this.#wait(signal);
    }
    await Promise.all(this.#running.values());
  }

  #start(signal: AbortSignal): void {
    for (const waiting of [this.#urgent, this.#ready]) {
      for (const key of waiting) {
        if (this.#running.size >= this.#deps.concurrency) return;
        waiting.delete(key);
        this.#running.set(key, this.#work(key, signal));
      }
    }
  }

  async #work(key: K, signal: AbortSignal): Promise<void> {
    let outcome: WorkOutcome;
    try {
      outcome = await Promise.resolve().then(() => this.#deps.work(key, signal));
    } catch (error) {
      if (!signal.aborted) this.#deps.onThrow(key, error);
      outcome = { kind: 'failed' };
    }
    this.#running.delete(key);
    this.#settle(key, outcome);
    this.#changes.raise();
  }

  #settle(key: K, outcome: WorkOutcome): void {
    if (outcome.kind === 'failed') this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
    else this.#failures.delete(key);
    if (this.#dirty.delete(key)) this.#ready.add(key);
    else if (outcome.kind === 'again') this.#later(key, outcome.afterMs);
    else if (outcome.kind === 'failed')
      this.#later(key, Math.max(outcome.leastMs ?? 0, this.#deps.pauseMs(this.#failures.get(key) ?? 1)));
  }

  #later(key: K, ms: number): void {
    const at = this.#deps.clock.monotonic() + ms;
    this.#dueAt.set(key, at);
    this.#nextDueAt = Math.min(this.#nextDueAt, at);
  }

  /** What is due gets its turn. */
  #promote(): void {
    const now = this.#deps.clock.monotonic();
    if (this.#nextDueAt > now) return;
    this.#nextDueAt = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#dueAt) {
      if (at > now) {
        this.#nextDueAt = Math.min(this.#nextDueAt, at);
        continue;
      }
      this.#dueAt.delete(key);
      this.#ready.add(key);
    }
  }

  /** Until there may be something to do. */
  async #wait(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const ms = Math.min(MAX_SLEEP_MS, this.#nextDueAt - this.#deps.clock.monotonic());
    await Promise.race([this.#changes.next(either), this.#deps.clock.sleep(ms, either)]);
    stop.abort();
  }
}
