/**
 * The parts of a plan that say what they said before, as the objects they were before. A plan is made anew when anything in its
 * scope moves, but a listener is built anew only when its own part does.
 */
export function keepEqual<T extends { readonly name: string }>(
  previous: readonly T[],
  next: readonly T[],
): readonly T[] {
  const known = new Map(previous.map((part) => [part.name, part]));
  const kept = next.map((part) => {
    const before = known.get(part.name);
    return before !== undefined && isEqual(before, part) ? before : part;
  });
  const isSame = kept.length === previous.length && kept.every((part, index) => part === previous[index]);
  return isSame ? previous : kept;
}

/** Structural, but what is the same object is not looked into; of other objects only records and lists are. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isEqual(a[key], b[key]));
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return Object.getPrototypeOf(value) === Object.prototype;
}
