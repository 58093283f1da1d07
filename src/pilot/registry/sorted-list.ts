import type { ListChange } from './list-change.ts';

/** A sorted list after a change: the place of each addition is searched for, and the rest is copied. */
export function editSorted<T>(
  list: readonly T[],
  { removed, added }: ListChange<T>,
  compare: (a: T, b: T) => number,
): readonly T[] {
  const gone = new Set(removed);
  const stayed = gone.size === 0 ? list : list.filter((item) => !gone.has(item));
  const pieces: (readonly T[])[] = [];
  let from = 0;
  for (const item of added.toSorted(compare)) {
    const to = firstAfter(stayed, (other) => compare(other, item) > 0, from);
    pieces.push(stayed.slice(from, to), [item]);
    from = to;
  }
  return [...pieces.flat(), ...stayed.slice(from)];
}

/** The first index from which on `isAfter` holds, by halving. */
function firstAfter<T>(list: readonly T[], isAfter: (item: T) => boolean, from: number): number {
  let low = from;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = list[middle];
    if (item !== undefined && isAfter(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
