import type { LoopWatch } from '../kit/loop-watch.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Gauge, Metrics } from '../telemetry/metrics.ts';

/**
 * Tells how late the event loop is. Both gauges speak of the time since they were asked for the last time, as those of Node's own
 * metrics do.
 */
export class LoopDelay implements Runnable {
  readonly name = 'loop delay';
  readonly #start: () => LoopWatch;
  readonly #p99: Gauge;
  readonly #max: Gauge;
  #watch: LoopWatch | undefined;

  constructor(start: () => LoopWatch, metrics: Metrics) {
    this.#start = start;
    const help = 'of how late the event loop was, since the last time that metrics were read.';
    this.#p99 = metrics.gauge({ name: 'nodejs_eventloop_lag_p99_seconds', help: `99th percentile ${help}` });
    this.#max = metrics.gauge({ name: 'nodejs_eventloop_lag_max_seconds', help: `Maximum ${help}` });
  }

  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const watch = this.#start();
    this.#watch = watch;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    watch.stop();
  }

  /** Sets the gauges, and begins anew. */
  publish(): void {
    const { p99Ms, maxMs } = this.#watch?.read() ?? { p99Ms: 0, maxMs: 0 };
    this.#p99.set(p99Ms / 1000);
    this.#max.set(maxMs / 1000);
  }
}
