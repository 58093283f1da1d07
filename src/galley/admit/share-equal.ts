import { isDeepStrictEqual } from 'node:util';

/**
 * Whether two values hold the same. Where only parts of `next` equal their counterparts in `previous`, `next` takes these
 * parts over, so that identity says what moved. `next` must not have been published yet.
 */
export function shareEqual(previous: unknown, next: unknown): boolean {
  if (Object.is(previous, next)) return true;
  if (Array.isArray(previous) && Array.isArray(next)) return shareItems(previous, next);
  if (isPlain(previous) && isPlain(next)) return shareFields(previous, next);
  return isDeepStrictEqual(previous, next);
}

function shareItems(previous: readonly unknown[], next: readonly unknown[]): boolean {
  let same = previous.length === next.length;
  for (const [index, item] of next.entries()) {
    if (index >= previous.length) break;
    if (shareEqual(previous[index], item)) takeOver(next, index, previous[index]);
    else same = false;
  }
  return same;
}

function shareFields(previous: Readonly<Record<string, unknown>>, next: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(next);
  let same = Object.keys(previous).length === keys.length;
  for (const key of keys) {
    if (!Object.hasOwn(previous, key)) same = false;
    else if (!shareEqual(previous[key], next[key])) same = false;
    else takeOver(next, key, previous[key]);
  }
  return same;
}

// A part that is frozen, because its source shares it, keeps its own copies.
function takeOver(owner: object, key: string | number, value: unknown): void {
  if (key !== '__proto__') Reflect.set(owner, key, value);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
