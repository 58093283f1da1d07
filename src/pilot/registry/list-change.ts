/** What left a list and what came into it. An object that was replaced is in both. */
export type ListChange<T> = { readonly removed: readonly T[]; readonly added: readonly T[] };

/**
 * Compares two lists by identity. Lists change in one or two places, so the common head and tail are walked over and only what
 * is between them is compared as sets. Order is not part of the answer.
 */
export function changeOf<T>(before: readonly T[], after: readonly T[]): ListChange<T> {
  if (before === after) return { removed: [], added: [] };
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const old = new Set(before.slice(head, before.length - tail));
  const fresh = new Set(after.slice(head, after.length - tail));
  return { removed: [...old].filter((item) => !fresh.has(item)), added: [...fresh].filter((item) => !old.has(item)) };
}

export function isEmptyChange(change: ListChange<unknown>): boolean {
  return change.removed.length === 0 && change.added.length === 0;
}

/** Everything that moved, in either direction. */
export function moved<T>(change: ListChange<T>): readonly T[] {
  return [...change.removed, ...change.added];
}
