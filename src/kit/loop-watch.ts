import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was: whoever waits for it waited so much longer. */
export type Lateness = { readonly p99Ms: number; readonly maxMs: number };

export interface LoopWatch {
  /** Since the last reading. A block that begins within a moment after a reading is not seen. */
  read(): Lateness;
  stop(): void;
}

/** Each look wakes the process, so that looking more often would be most of what an idle process does. */
const EVERY_MS = 20;

/** Watches the real event loop from now on. */
export function watchEventLoop(): LoopWatch {
  const watch = monitorEventLoopDelay({ resolution: EVERY_MS });
  watch.enable();
  // What is counted is the time from look to look.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - EVERY_MS);
  return {
    read: () => {
      const lateness =
        watch.count === 0 ? { p99Ms: 0, maxMs: 0 } : { p99Ms: late(watch.percentile(99)), maxMs: late(watch.max) };
      watch.reset();
      return lateness;
    },
    stop: () => {
      watch.disable();
    },
  };
}
