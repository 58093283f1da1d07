/** Applies changes to a map that others hold: undefined deletes. The map itself comes back when nothing is different. */
export function editMap<K, V>(
  map: ReadonlyMap<K, V>,
  changes: Iterable<readonly [K, V | undefined]>,
): ReadonlyMap<K, V> {
  let edited: Map<K, V> | undefined;
  for (const [key, value] of changes) {
    if ((edited ?? map).get(key) === value) continue;
    edited ??= new Map(map);
    if (value === undefined) edited.delete(key);
    else edited.set(key, value);
  }
  return edited ?? map;
}
