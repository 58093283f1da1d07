/** Compares by UTF-16 code units: the same order on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The entries of a record sorted by key, for everything that reaches the wire. */
export function sortedEntries<V>(record: Readonly<Record<string, V>>): readonly (readonly [string, V])[] {
  return Object.entries(record).sort(([a], [b]) => compareText(a, b));
}
