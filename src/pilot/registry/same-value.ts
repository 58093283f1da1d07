/**
 * Whether two values hold the same, all the way down: plain objects, arrays, maps (in order) and sets. Used only for what was
 * just rebuilt, so that a rebuild which changes nothing ends here.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameList(a, b);
  return isCollection(a) || isCollection(b) ? sameCollection(a, b) : sameRecord(a, b);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isCollection(value: object): boolean {
  return value instanceof Map || value instanceof Set;
}

/** Returns `previous` when it holds the same as `next`, so that sameness travels downstream. */
export function keepIfSameValue<T>(previous: T | undefined, next: T): T {
  return previous !== undefined && sameValue(previous, next) ? previous : next;
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
}

function sameCollection(a: object, b: object): boolean {
  if (a instanceof Map && b instanceof Map) return a.size === b.size && sameList([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every((item) => b.has(item));
  return false;
}

function sameRecord(a: object, b: object): boolean {
  const left = Object.entries(a);
  const right = new Map<string, unknown>(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameValue(value, right.get(key)));
}
