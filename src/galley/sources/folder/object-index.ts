import { compareText } from '../../../kit/order.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ObjectKey } from '../../../model/ids.ts';
import type { SourceObject } from '../source.ts';

/** One place that defines an object. */
type Claim = { readonly file: string; readonly order: number; readonly object: SourceObject };

export type IndexUpdate = {
  readonly upserts: readonly SourceObject[];
  readonly deletes: readonly ObjectKey[];
  /** Whether `duplicates()` may have another answer. */
  readonly duplicatesMoved: boolean;
};

/**
 * Which file defines which object. Where several define the same one, the first by path (then by order in the file) is
 * taken, and the next takes over when it goes.
 */
export class ObjectIndex {
  readonly #claims = new Map<ObjectKey, readonly Claim[]>();
  readonly #byFile = new Map<string, readonly SourceObject[]>();
  readonly #published = new Map<ObjectKey, SourceObject>();
  readonly #touched = new Set<ObjectKey>();
  readonly #contested = new Set<ObjectKey>();
  #contestMoved = false;

  /** Says what a file defines now; nothing when it is gone. */
  replace(file: string, objects: readonly SourceObject[]): void {
    const changed = new Set([...(this.#byFile.get(file) ?? []), ...objects].map((object) => object.key));
    if (objects.length === 0) this.#byFile.delete(file);
    else this.#byFile.set(file, objects);
    const claims = Map.groupBy(
      objects.map((object, order) => ({ file, order, object })),
      (claim) => claim.object.key,
    );
    for (const key of changed) this.#claim(key, file, claims.get(key) ?? []);
  }

  /** What changed since the last call. */
  takeUpdate(): IndexUpdate {
    const upserts: SourceObject[] = [];
    const deletes: ObjectKey[] = [];
    for (const key of this.#touched) {
      const object = this.#claims.get(key)?.[0]?.object;
      if (object === this.#published.get(key)) continue;
      if (object === undefined) {
        this.#published.delete(key);
        deletes.push(key);
      } else {
        this.#published.set(key, object);
        upserts.push(object);
      }
    }
    this.#touched.clear();
    const update = { upserts, deletes, duplicatesMoved: this.#contestMoved };
    this.#contestMoved = false;
    return update;
  }

  /** One diagnostic for each place that defines an object which another place defines first. */
  duplicates(): readonly Diagnostic[] {
    return [...this.#contested].flatMap((key) => {
      const [taken, ...others] = this.#claims.get(key) ?? [];
      return taken === undefined ? [] : others.map((other) => duplicate(taken.object, other.object, other.file));
    });
  }

  #claim(key: ObjectKey, file: string, own: readonly Claim[]): void {
    const others = (this.#claims.get(key) ?? []).filter((claim) => claim.file !== file);
    const claims = [...others, ...own].sort((a, b) => compareText(a.file, b.file) || a.order - b.order);
    if (claims.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, claims);
    if (claims.length > 1 || this.#contested.has(key)) this.#contestMoved = true;
    if (claims.length > 1) this.#contested.add(key);
    else this.#contested.delete(key);
    this.#touched.add(key);
  }
}

function duplicate(taken: SourceObject, other: SourceObject, file: string): Diagnostic {
  const first = taken.locate?.([]);
  const where = first === undefined ? 'elsewhere' : `in ${first.file}:${first.line}`;
  return {
    code: 'XEB1008',
    level: 'error',
    path: ['metadata', 'name'],
    message: `is defined ${where} already, which is taken: remove or rename one of the two`,
    object: { kind: other.kind, namespace: other.meta.namespace, name: other.meta.name },
    at: other.locate?.(['metadata', 'name']) ?? { file, line: 1, column: 1 },
  };
}
