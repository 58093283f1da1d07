import type { Clock } from './clock.ts';

const TURN_MS = 8;

/** A long piece of work that lets others have a turn: `await turn.share()` after each step. */
export class Turn {
  readonly #clock: Clock;
  #started: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.monotonic();
  }

  async share(): Promise<void> {
    if (this.#clock.monotonic() - this.#started < TURN_MS) return;
    await this.#clock.yield();
    this.#started = this.#clock.monotonic();
  }
}
