import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Gauge, Metrics } from '../telemetry/metrics.ts';

/** A block that begins right after a look is seen shorter by this much at most. */
const EVERY_MS = 10;

/** Longer delays are counted as this long; the maximum is exact. */
const LONGEST_MS = 1000;

/**
 * How late the event loop is: whoever waits for it waits so much longer. Both gauges speak of the time since they were asked for
 * the last time, as those of Node's own metrics do.
 */
export class LoopDelay implements Runnable {
  readonly name = 'loop delay';
  readonly #clock: Clock;
  readonly #p99: Gauge;
  readonly #max: Gauge;
  /** How often the loop was late by so many whole milliseconds. */
  readonly #counts = new Uint32Array(LONGEST_MS + 1);
  #longest = 0;

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    const help = 'of how late the event loop was, since the last time that metrics were read.';
    this.#p99 = metrics.gauge({ name: 'nodejs_eventloop_lag_p99_seconds', help: `99th percentile ${help}` });
    this.#max = metrics.gauge({ name: 'nodejs_eventloop_lag_max_seconds', help: `Maximum ${help}` });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const due = this.#clock.monotonic() + EVERY_MS;
      await this.#clock.sleep(EVERY_MS, signal);
      if (!signal.aborted) this.#note(this.#clock.monotonic() - due);
    }
  }

  /** Sets the gauges, and begins anew. */
  publish(): void {
    this.#p99.set(this.#percentile(0.99) / 1000);
    this.#max.set(this.#longest / 1000);
    this.#counts.fill(0);
    this.#longest = 0;
  }

  #note(late: number): void {
    const bin = Math.min(LONGEST_MS, Math.max(0, Math.floor(late)));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#longest = Math.max(this.#longest, late);
  }

  #percentile(share: number): number {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    let rest = Math.ceil(total * share);
    for (const [late, count] of this.#counts.entries()) {
      rest -= count;
      if (rest <= 0) return late;
    }
    return LONGEST_MS;
  }
}
