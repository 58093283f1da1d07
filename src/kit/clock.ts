/** Time as a dependency. Tests own a manual one, so no test waits and none is timed. */
export interface Clock {
  /** Milliseconds since the epoch, for what people read. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go back, for durations. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Lets other work of the event loop run, then resolves. */
  yield(): Promise<void>;
}
