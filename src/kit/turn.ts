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

  /** Several pieces may share one: together they have one turn, and not one each. */
  async share(): Promise<void> {
    while (this.#clock.monotonic() - this.#started >= TURN_MS) {
      const before = this.#started;
      await this.#clock.yield();
      if (this.#started === before) this.#started = this.#clock.monotonic();
    }
  }
}
