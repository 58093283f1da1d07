import { collections, type Kind } from '../../apis/collections.ts';
import type { ObjectsByKind } from '../../model/config-snapshot.ts';
import type { Diagnostic, FilePosition } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { ConfigObject, ObjectRef } from '../../model/object.ts';
import type { SourceObject } from '../sources/source.ts';
import { sortDiagnostics } from './diagnostics.ts';
import { type Judgement, KindStore, type ObjectsBeingBuilt } from './kind-store.ts';
import { slimObject } from './slim-object.ts';

interface AnyKindStore {
  get(key: ObjectKey): ConfigObject | undefined;
  admit(object: SourceObject): Judgement;
  restore(object: ConfigObject): void;
  remove(key: ObjectKey): void;
  publish(target: ObjectsBeingBuilt): void;
}

/** What one source says about an object. */
type Claim = {
  readonly source: number;
  readonly object: SourceObject;
  /** What was made of it, if there was nothing to complain about: then `object` is slim, and this is taken when it is to be judged again. */
  readonly settled: ConfigObject | undefined;
};

/** What every source says about one object, in the order of sources. The first one was judged. */
type Entry = { readonly claims: readonly Claim[]; readonly diagnostics: readonly Diagnostic[] };

/** An object as it was written last, and what became of it. */
export type JudgedObject = {
  /** Of one that is in order, and that no file has, the body is no more than its status. */
  readonly source: SourceObject;
  /** Whether this version is the one in force. */
  readonly isAdmitted: boolean;
  /** The version in force, be it an earlier one. */
  readonly inForce: ConfigObject | undefined;
};

/**
 * Every object that a source brought, parsed, validated and kept in its last good version. An object that says the same as
 * before stays the same JavaScript object, and a list without changes the same array.
 */
export class ConfigStore {
  readonly #sources: readonly string[];
  readonly #kinds: ReadonlyMap<string, AnyKindStore>;
  readonly #entries = new Map<ObjectKey, Entry>();
  readonly #troubled = new Set<ObjectKey>();
  readonly #reported = new Map<number, readonly Diagnostic[]>();
  #objects: ObjectsByKind | undefined;
  #diagnostics: readonly Diagnostic[] | undefined;

  /** `sources` are names; where two have the same object, the earlier one has the say. */
  constructor(sources: readonly string[]) {
    this.#sources = sources;
    this.#kinds = new Map(Object.values(collections).map(({ kind }) => [kind, storeFor(kind)]));
  }

  upsert(source: number, object: SourceObject): void {
    const entry = this.#entries.get(object.key);
    const others = without(entry?.claims ?? [], source);
    const claim = { source, object, settled: undefined };
    const claims = others.length === 0 ? [claim] : [...others, claim].sort((a, b) => a.source - b.source);
    this.#judge(object.key, entry, claims);
  }

  delete(source: number, key: ObjectKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const claims = without(entry.claims, source);
    if (claims.length < entry.claims.length) this.#judge(key, entry, claims);
  }

  /** What a source itself has to complain about now. */
  report(source: number, diagnostics: readonly Diagnostic[]): void {
    this.#reported.set(source, diagnostics);
    this.#diagnostics = undefined;
  }

  /** Everything admitted now. */
  objects(): ObjectsByKind {
    const next: ObjectsBeingBuilt = {};
    for (const store of this.#kinds.values()) store.publish(next);
    const previous = this.#objects;
    if (previous !== undefined && sameLists(previous, next)) return previous;
    if (!isComplete(next)) throw new Error('a kind has no list');
    this.#objects = next;
    return next;
  }

  /** Every object, good or bad. */
  *judged(): Iterable<JudgedObject> {
    for (const [key, { claims, diagnostics }] of this.#entries) {
      const source = claims[0]?.object;
      if (source === undefined) continue;
      const isAdmitted = diagnostics.every(({ level }) => level !== 'error');
      yield { source, isAdmitted, inForce: this.#kinds.get(source.kind)?.get(key) };
    }
  }

  /** Everything that is wrong now, in a stable order. */
  diagnostics(): readonly Diagnostic[] {
    this.#diagnostics ??= sortDiagnostics([
      ...[...this.#reported.values()].flat(),
      ...[...this.#troubled].flatMap((key) => this.#entries.get(key)?.diagnostics ?? []),
    ]);
    return this.#diagnostics;
  }

  /** Where a part of an object stands, if it came from a file. */
  locate({ kind, namespace, name }: ObjectRef, path: Diagnostic['path']): FilePosition | undefined {
    return this.#entries.get(objectKey(kind, namespace, name))?.claims[0]?.object.locate?.(path);
  }

  #judge(key: ObjectKey, entry: Entry | undefined, claims: readonly Claim[]): void {
    const [first, ...others] = claims;
    if (first === undefined) return this.#forget(key, entry);
    const judged = entry?.claims[0];
    const isKnown = judged !== undefined && entry?.diagnostics.length === 0 && saysTheSame(judged, first);
    const diagnostics = isKnown ? [] : this.#admit(first);
    const owner = diagnostics.length === 0 ? this.#settle(first) : first;
    for (const { object } of others) diagnostics.push(conflict(object, this.#sources[owner.source] ?? ''));
    this.#entries.set(key, { claims: [owner, ...others], diagnostics });
    if (diagnostics.length > 0) this.#troubled.add(key);
    else if (!this.#troubled.delete(key)) return;
    this.#diagnostics = undefined;
  }

  #forget(key: ObjectKey, entry: Entry | undefined): void {
    const kind = entry?.claims[0]?.object.kind;
    if (kind !== undefined) this.#kinds.get(kind)?.remove(key);
    this.#entries.delete(key);
    if (this.#troubled.delete(key)) this.#diagnostics = undefined;
  }

  #admit({ object, settled }: Claim): Diagnostic[] {
    const store = this.#kinds.get(object.kind);
    if (settled === undefined) {
      const judgement = store?.admit(object);
      return judgement === undefined ? [] : diagnosticsOf(object, judgement);
    }
    store?.restore(settled);
    return [];
  }

  /** Lets go of a body that nobody reads again. A file's is kept: its reader has it anyway, and knows by it what is unchanged. */
  #settle(claim: Claim): Claim {
    const { source, object } = claim;
    if (claim.settled !== undefined || object.locate !== undefined) return claim;
    const settled = this.#kinds.get(object.kind)?.get(object.key);
    return settled === undefined ? claim : { source, object: slimObject(object), settled };
  }
}

function storeFor<K extends Kind>(kind: K): AnyKindStore {
  return new KindStore(collections[kind]);
}

function diagnosticsOf(object: SourceObject, { issues, admitted, inForce }: Judgement): Diagnostic[] {
  const ref = refOf(object);
  const diagnostics: Diagnostic[] = issues.map((issue) => ({ ...issue, object: ref, at: object.locate?.(issue.path) }));
  if (!admitted && inForce) {
    const message = 'the version from before stays in force until this one is repaired';
    diagnostics.push({ code: 'XEB1011', level: 'info', path: [], message, object: ref, at: object.locate?.([]) });
  }
  return diagnostics;
}

function conflict(object: SourceObject, owner: string): Diagnostic {
  const path = ['metadata', 'name'];
  const message = `${owner} has this object too and has the say: remove it from one of the two`;
  return { code: 'XEB1009', level: 'warning', path, message, object: refOf(object), at: object.locate?.(path) };
}

function refOf({ kind, meta }: SourceObject): ObjectRef {
  return { kind, namespace: meta.namespace, name: meta.name };
}

/** The same claim, or the same document on another line or read by another pass. */
function saysTheSame(a: Claim, b: Claim): boolean {
  if (a === b) return true;
  if (a.settled !== undefined || b.settled !== undefined) return false;
  const { meta: was, body } = a.object;
  const { meta } = b.object;
  return body === b.object.body && was.name === meta.name && was.namespace === meta.namespace;
}

function without(claims: readonly Claim[], source: number): readonly Claim[] {
  return claims.filter((claim) => claim.source !== source);
}

function sameLists(a: ObjectsByKind, b: ObjectsBeingBuilt): boolean {
  return Object.values(collections).every(({ kind }) => a[kind] === b[kind]);
}

function isComplete(objects: ObjectsBeingBuilt): objects is ObjectsByKind {
  return Object.values(collections).every(({ kind }) => objects[kind] !== undefined);
}
