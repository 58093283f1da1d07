import type { ChangeSignal } from './change-signal.ts';
import type { Clock } from './clock.ts';

export type DebounceTimes = {
  /** A storm is over after this many quiet milliseconds. */
  readonly quietMs: number;
  /** However long the storm, somebody is told after this many milliseconds. */
  readonly maxMs: number;
};

/**
 * Yields once per batch of changes. The first change after quiet comes at once; changes that follow it closely are held until
 * they pause, or until the maximum.
 */
export async function* debounced(
  changes: ChangeSignal,
  times: DebounceTimes,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<void> {
  let last = Number.NEGATIVE_INFINITY;
  while (await changes.next(signal)) {
    const first = clock.monotonic();
    if (first - last < times.quietMs) await quiet({ changes, times, clock, first }, signal);
    if (signal.aborted) return;
    yield;
    last = clock.monotonic();
  }
}

type Storm = {
  readonly changes: ChangeSignal;
  readonly times: DebounceTimes;
  readonly clock: Clock;
  readonly first: number;
};

async function quiet({ changes, times, clock, first }: Storm, signal: AbortSignal): Promise<void> {
  for (;;) {
    const left = first + times.maxMs - clock.monotonic();
    if (left <= 0 || signal.aborted) return;
    if (!(await changedWithin(changes, Math.min(times.quietMs, left), clock, signal))) return;
  }
}

async function changedWithin(changes: ChangeSignal, ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const stop = new AbortController();
  const combined = AbortSignal.any([signal, stop.signal]);
  const changed = changes.next(combined);
  const timer = clock.sleep(ms, combined).then(() => false);
  const first = await Promise.race([changed, timer]);
  stop.abort();
  await changed;
  await timer;
  return first;
}
