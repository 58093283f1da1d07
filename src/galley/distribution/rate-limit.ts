import type { Clock } from '../../kit/clock.ts';

export type Rate = { readonly burst: number; readonly perSecond: number };

/** Lets a burst pass at once and makes whoever comes after it wait. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #clock: Clock;
  /** When the next one could have passed had there been no burst to spare. */
  #due = Number.NEGATIVE_INFINITY;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Resolves when one more may pass, or when the signal aborts. Who waits is served in turn. */
  async take(signal: AbortSignal): Promise<void> {
    const { burst, perSecond } = this.#rate;
    const interval = 1000 / perSecond;
    const now = this.#clock.monotonic();
    this.#due = Math.max(this.#due, now - burst * interval) + interval;
    if (this.#due > now) await this.#clock.sleep(this.#due - now, signal);
    // Or many who come and go would make everybody else wait for hours.
    if (signal.aborted) this.#due -= interval;
  }
}
