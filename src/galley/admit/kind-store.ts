import { isDeepStrictEqual } from 'node:util';
import type { Collection, Kind } from '../../apis/collections.ts';
import type { Issue } from '../../apis/issue.ts';
import { compareText } from '../../kit/order.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { ConfigObject, ObjectMeta } from '../../model/object.ts';
import type { SourceObject } from '../sources/source.ts';
import { metadataIssues } from './metadata.ts';
import { shareEqual } from './share-equal.ts';
import { SortedList } from './sorted-list.ts';

export type ObjectsBeingBuilt = { [K in Kind]?: readonly ConfigObject<K>[] };

/** What became of an object: its issues, and whether a version of it (this one or an earlier one) is in force. */
export type Judgement = { readonly issues: readonly Issue[]; readonly admitted: boolean; readonly inForce: boolean };

/** The admitted objects of one kind. */
export class KindStore<K extends Kind> {
  readonly #collection: Collection<K>;
  readonly #objects = new Map<ObjectKey, ConfigObject<K>>();
  readonly #list = new SortedList<ConfigObject<K>>(compareObjects);

  constructor(collection: Collection<K>) {
    this.#collection = collection;
  }

  /** The version in force. */
  get(key: ObjectKey): ConfigObject<K> | undefined {
    return this.#objects.get(key);
  }

  /** Takes an object if it is good, and otherwise keeps the version from before. */
  admit({ key, meta, body }: SourceObject): Judgement {
    const checked = this.#collection.check(body, meta);
    const issues = [...metadataIssues(body, meta), ...checked.issues];
    const { spec } = checked;
    const admitted = spec !== undefined && issues.every((issue) => issue.level !== 'error');
    if (admitted) this.#put({ kind: this.#collection.kind, key, meta, spec });
    return { issues, admitted, inForce: this.#objects.has(key) };
  }

  /** Takes a version again that it once admitted without an issue. */
  restore(object: ConfigObject): void {
    if (!this.#isMine(object)) throw new Error(`${object.key} is no ${this.#collection.kind}`);
    const previous = this.#objects.get(object.key);
    // It was published: nothing of it may be replaced by equal parts of the previous version.
    if (previous === undefined || !isDeepStrictEqual(previous, object)) this.#replace(previous, object);
  }

  remove(key: ObjectKey): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.#list.remove(object);
  }

  publish(target: { [Own in K]?: readonly ConfigObject<Own>[] }): void {
    target[this.#collection.kind] = this.#list.publish();
  }

  #put(object: ConfigObject<K>): void {
    const previous = this.#objects.get(object.key);
    const next = previous === undefined ? object : share(previous, object);
    if (next !== previous) this.#replace(previous, next);
  }

  #replace(previous: ConfigObject<K> | undefined, next: ConfigObject<K>): void {
    if (previous !== undefined) this.#list.remove(previous);
    this.#objects.set(next.key, next);
    this.#list.add(next);
  }

  #isMine(object: ConfigObject): object is ConfigObject<K> {
    return object.kind === this.#collection.kind;
  }
}

/** The previous object if the next one says the same; else the next one with the parts that did not change taken over. */
function share<K extends Kind>(previous: ConfigObject<K>, next: ConfigObject<K>): ConfigObject<K> {
  const sameSpec = shareEqual(previous.spec, next.spec);
  const meta = shareMeta(previous.meta, next.meta);
  if (sameSpec && meta === previous.meta) return previous;
  return { ...next, meta, spec: sameSpec ? previous.spec : next.spec };
}

/** A resourceVersion alone is no change: writing a status must not make the mesh move. */
function shareMeta(previous: ObjectMeta, next: ObjectMeta): ObjectMeta {
  const labels = shareEqual(previous.labels, next.labels) ? previous.labels : next.labels;
  const annotations = shareEqual(previous.annotations, next.annotations) ? previous.annotations : next.annotations;
  const shared = { ...next, labels, annotations };
  return shareEqual({ ...previous, resourceVersion: undefined }, { ...shared, resourceVersion: undefined })
    ? previous
    : shared;
}

/** Oldest first; an object without a time is the oldest. */
function compareObjects(a: ConfigObject, b: ConfigObject): number {
  return (
    (a.meta.createdAt ?? 0) - (b.meta.createdAt ?? 0) ||
    compareText(a.meta.namespace, b.meta.namespace) ||
    compareText(a.meta.name, b.meta.name)
  );
}
