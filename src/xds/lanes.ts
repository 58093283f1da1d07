import type { Clock } from '../kit/clock.ts';

/** Somebody who may have something to send. `push` sends one message at most and never rejects. */
export interface Pusher {
  push(): Promise<void>;
}

export type Urgency = 'answer' | 'change';

/** Of so many turns, the last goes to changes, so that a storm of requests cannot starve them. */
const ANSWERS_IN_A_ROW = 2;

/**
 * Shares the event loop among all streams: a few pushes at a time, and after each one everybody else's turn. Who waits, waits
 * once: what changes meanwhile is merged. A peer that reads slowly gives its lane back after a moment and goes on by itself.
 */
export class Lanes {
  readonly #clock: Clock;
  readonly #width: number;
  readonly #patienceMs: number;
  readonly #answers = new Set<Pusher>();
  readonly #changes = new Set<Pusher>();
  readonly #active = new Set<Promise<void>>();
  #answersInARow = 0;

  constructor(clock: Clock, { width, patienceMs }: { readonly width: number; readonly patienceMs: number }) {
    this.#clock = clock;
    this.#width = width;
    this.#patienceMs = patienceMs;
  }

  add(pusher: Pusher, urgency: Urgency): void {
    if (urgency === 'answer') {
      this.#changes.delete(pusher);
      this.#answers.add(pusher);
    } else if (!this.#answers.has(pusher)) {
      this.#changes.add(pusher);
    }
    if (this.#active.size < this.#width) this.#open();
  }

  delete(pusher: Pusher): void {
    this.#answers.delete(pusher);
    this.#changes.delete(pusher);
  }

  get waiting(): number {
    return this.#answers.size + this.#changes.size;
  }

  #open(): void {
    const lane = this.#drain().finally(() => this.#active.delete(lane));
    this.#active.add(lane);
  }

  async #drain(): Promise<void> {
    // The lane that `add` opens must be in the list before it is done.
    await Promise.resolve();
    for (let pusher = this.#take(); pusher !== undefined; pusher = this.#take()) {
      const done = new AbortController();
      await Promise.race([pusher.push(), this.#clock.sleep(this.#patienceMs, done.signal)]);
      done.abort();
      await this.#clock.yield();
    }
  }

  #take(): Pusher | undefined {
    const isChangesTurn = this.#answersInARow >= ANSWERS_IN_A_ROW && this.#changes.size > 0;
    const queue = this.#answers.size > 0 && !isChangesTurn ? this.#answers : this.#changes;
    this.#answersInARow = queue === this.#answers ? this.#answersInARow + 1 : 0;
    const [first] = queue;
    if (first !== undefined) queue.delete(first);
    return first;
  }
}
