import type { Clock } from '../kit/clock.ts';

/** A message on its way to a client. */
export type Sending = {
  readonly bytes: number;
  /** Resolves when the client took the message or is gone. Never rejects. */
  readonly taken: Promise<void>;
};

/** Somebody who may have something to send: makes and sends one message at most, and never throws. */
export interface Pusher {
  push(): Sending | undefined;
}

export type Urgency = 'answer' | 'change';

export type LaneSettings = {
  /** How many pushes are under way at a time. */
  readonly lanes: number;
  /** For how long a push that the client does not read keeps its lane. */
  readonly lanePatienceMs: number;
  /** Above so many bytes that clients have not read, lanes are kept longer rather than that more is sent. */
  readonly crowdedBytes: number;
};

/** Of so many turns, the last goes to changes, so that a storm of requests cannot starve them. */
const ANSWERS_IN_A_ROW = 2;
/** Nobody computes for longer without giving everybody else a turn. */
const TURN_MS = 1;
/** How often a lane is kept once more when much is unread. */
const CROWDED_PATIENCE = 4;

/**
 * Shares the event loop among all streams: a few pushes at a time, and after each one everybody else's turn. Who waits, waits
 * once: what changes meanwhile is merged. A client that reads slowly gives its lane back after a moment and goes on by itself.
 */
export class Lanes {
  readonly #clock: Clock;
  readonly #settings: LaneSettings;
  readonly #answers = new Set<Pusher>();
  readonly #changes = new Set<Pusher>();
  readonly #active = new Set<Promise<void>>();
  #answersInARow = 0;
  #unread = 0;

  constructor(clock: Clock, settings: LaneSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Bytes that clients were sent and have not taken. */
  get unread(): number {
    return this.#unread;
  }

  get waiting(): number {
    return this.#answers.size + this.#changes.size;
  }

  add(pusher: Pusher, urgency: Urgency): void {
    if (urgency === 'answer') {
      this.#changes.delete(pusher);
      this.#answers.add(pusher);
    } else if (!this.#answers.has(pusher)) {
      this.#changes.add(pusher);
    }
    if (this.#active.size < this.#settings.lanes) this.#open();
  }

  delete(pusher: Pusher): void {
    this.#answers.delete(pusher);
    this.#changes.delete(pusher);
  }

  #open(): void {
    const lane = this.#drain().finally(() => this.#active.delete(lane));
    this.#active.add(lane);
  }

  async #drain(): Promise<void> {
    // The lane that `add` opens must be in the list before it is done.
    await Promise.resolve();
    let turnBegan = this.#clock.monotonic();
    for (let pusher = this.#take(); pusher !== undefined; pusher = this.#take()) {
      const sending = pusher.push();
      if (sending !== undefined) await this.#watch(sending);
      else if (this.#clock.monotonic() - turnBegan < TURN_MS) continue;
      await this.#clock.yield();
      turnBegan = this.#clock.monotonic();
    }
  }

  async #watch({ bytes, taken }: Sending): Promise<void> {
    const done = new AbortController();
    this.#unread += bytes;
    void taken.then(() => {
      this.#unread -= bytes;
      // A reason, since without one an exception with its stack is made.
      done.abort('taken');
    });
    for (let waits = 0; waits <= CROWDED_PATIENCE; waits += 1) {
      await this.#clock.sleep(this.#settings.lanePatienceMs, done.signal);
      if (done.signal.aborted || this.#unread <= this.#settings.crowdedBytes) return;
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
