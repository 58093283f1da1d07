export type BackoffTimes = { readonly firstMs: number; readonly maxMs: number };

/**
 * How long to wait after so many failures in a row: twice as long each time, up to a maximum. Half of it is chance, so that many
 * who failed together do not come again together.
 */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffTimes, random: () => number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1));
  return full / 2 + (full / 2) * random();
}
