import { collections } from '../../apis/collections.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { NameSet } from '../../xds/name-pool.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { ResourceSet } from '../../xds/resource-set.ts';

const counted: ReadonlySet<string> = new Set(
  Object.values(collections).flatMap(({ kind, source }) => (source === 'istio' ? [kind] : [])),
);

/** The objects with a status that a resource came from, each once. */
export const ownersOf = memoByIdentity(({ origins }: EncodedResource): readonly ObjectKey[] => {
  const owners = new Set<ObjectKey>();
  for (const { kind, namespace, name } of origins) if (counted.has(kind)) owners.add(objectKey(kind, namespace, name));
  return owners.size === 0 ? nobody : [...owners];
});

const nobody: readonly ObjectKey[] = [];

/** Those of a list of resources: found once, however many views have the list. */
export const ownersOfList = memoByIdentity((list: readonly EncodedResource[]): ReadonlySet<ObjectKey> => {
  const owners = new Set<ObjectKey>();
  for (const resource of list) for (const owner of ownersOf(resource)) owners.add(owner);
  return owners;
});

const unaskedOf = memoByIdentity((_: ResourceSet) => new WeakMap<NameSet, ReadonlySet<ObjectKey>>());

/** The owners of resources that a client does not ask for: found once for all clients that ask for the same. */
export function ownersNotAskedFor(set: ResourceSet, names: NameSet): ReadonlySet<ObjectKey> {
  const known = unaskedOf(set).get(names);
  if (known !== undefined) return known;
  const owners = new Set<ObjectKey>();
  for (const [name, resource] of set.resources) {
    if (!names.has(name)) for (const owner of ownersOf(resource)) owners.add(owner);
  }
  unaskedOf(set).set(names, owners);
  return owners;
}

/** Small numbers for objects, so that a group of them has a name. */
export class Identities {
  readonly #numbers = new WeakMap<object, number>();
  #count = 0;

  of(value: object): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    this.#count += 1;
    this.#numbers.set(value, this.#count);
    return this.#count;
  }
}
