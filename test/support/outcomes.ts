import type { Outcome } from './apps/calls.ts';

/** How many answers came from each version of the app; others under their status or error. */
export function versionsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  return countBy(outcomes, ({ echo, status, error }) => echo?.version ?? error ?? String(status));
}

export function podsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  return countBy(outcomes, ({ echo, status, error }) => echo?.pod ?? error ?? String(status));
}

export function statusesOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  return countBy(outcomes, ({ status, error }) => error ?? String(status));
}

function countBy<T>(list: readonly T[], nameOf: (item: T) => string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of list) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return counts;
}

/** The bounds that a share of many random choices stays within, but for one run in about two million. */
export function likely(total: number, share: number): { readonly min: number; readonly max: number } {
  const deviation = Math.sqrt(total * share * (1 - share));
  return { min: Math.floor(total * share - 5 * deviation), max: Math.ceil(total * share + 5 * deviation) };
}
