import { sameItems } from '../../kit/memo.ts';

type Compare<T> = (a: T, b: T) => boolean;

/**
 * Many namespaces hold one list and get one new list: their comparison has one answer, so it is remembered for the last partner
 * of each.
 */
export function rememberingCompare<T extends object>(compare: Compare<T>): Compare<T> {
  const last = new WeakMap<T, { readonly other: T; readonly isSame: boolean }>();
  return (a, b) => {
    if (a === b) return true;
    const known = last.get(a);
    if (known?.other === b) return known.isSame;
    const isSame = compare(a, b);
    last.set(a, { other: b, isSame });
    return isSame;
  };
}

const sameList = rememberingCompare<readonly unknown[]>(sameItems);

/** As `keepIfSame`, for lists that many share. */
export function keepList<T>(before: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  return before !== undefined && sameList(before, next) ? before : next;
}
