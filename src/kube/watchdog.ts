import type { Clock } from '../kit/clock.ts';

/** Aborts what takes too long. */
export interface Watchdog {
  /** Aborts with the caller's signal, or when the time is over. */
  readonly signal: AbortSignal;
  /** Whether it was the time. */
  readonly isLate: boolean;
  /** The time starts anew. */
  touch(): void;
  /** To be called in the end, whatever it was: it frees the timer, and the caller's signal of its listener. */
  stop(): void;
}

export function startWatchdog(clock: Clock, ms: number, signal: AbortSignal): Watchdog {
  const abort = new AbortController();
  const stopped = new AbortController();
  let last = clock.monotonic();
  let isLate = false;
  const forward = (): void => abort.abort();
  if (signal.aborted) forward();
  else signal.addEventListener('abort', forward, { once: true });
  const watch = async (): Promise<void> => {
    for (let left = ms; left > 0; left = last + ms - clock.monotonic()) {
      await clock.sleep(left, stopped.signal);
      if (stopped.signal.aborted) return;
    }
    isLate = true;
    abort.abort();
  };
  void watch();
  return {
    signal: abort.signal,
    get isLate() {
      return isLate;
    },
    touch: () => {
      last = clock.monotonic();
    },
    stop: () => {
      stopped.abort();
      signal.removeEventListener('abort', forward);
    },
  };
}
