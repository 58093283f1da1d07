/** A part of the process that lives until its signal aborts. It resolves when stopped and rejects when broken. */
export interface Runnable {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Runs all parts until the signal aborts. The first failure stops the others; every failure is in the AggregateError. */
export async function runAll(parts: readonly Runnable[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const forward = (): void => stop.abort(signal.reason);
  if (signal.aborted) forward();
  signal.addEventListener('abort', forward, { once: true });
  const failures: Error[] = [];
  await Promise.all(
    parts.map(async (part) => {
      try {
        await part.run(stop.signal);
        if (!stop.signal.aborted) failures.push(new Error(`${part.name} ended before it was told to`));
      } catch (cause) {
        failures.push(new Error(`${part.name} failed`, { cause }));
      }
      stop.abort();
    }),
  );
  signal.removeEventListener('abort', forward);
  if (failures.length > 0) throw new AggregateError(failures, failures.map((failure) => failure.message).join('; '));
}
