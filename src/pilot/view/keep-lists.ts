import { keepIfSame } from '../../kit/memo.ts';

/** A record of lists in which each list that holds what it held before is the list it was before. */
export function keepLists<T extends Readonly<Record<string, readonly unknown[]>>>(previous: T | undefined, next: T): T {
  if (previous === undefined) return next;
  const entries = Object.entries(next).map(([name, list]) => [name, keepIfSame(previous[name], list)]);
  return Object.fromEntries(entries) as T;
}
