import { collections, type Kind } from '../../apis/collections.ts';
import type { ObjectsByKind } from '../../model/config-snapshot.ts';
import type { Diagnostic, FilePosition } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { ConfigObject, ObjectRef } from '../../model/object.ts';
import type { SourceObject } from '../sources/source.ts';
import { sortDiagnostics } from './diagnostics.ts';
import { type Judgement, KindStore, type ObjectsBeingBuilt } from './kind-store.ts';

interface AnyKindStore {
  get(key: ObjectKey): ConfigObject | undefined;
  admit(object: SourceObject): Judgement;
  remove(key: ObjectKey): void;
  publish(target: ObjectsBeingBuilt): void;
}

/** What every source says about one object. The first source that has it has the say. */
type Entry = {
  readonly claims: ReadonlyMap<number, SourceObject>;
  readonly judged: SourceObject | undefined;
  readonly diagnostics: readonly Diagnostic[];
};

/** An object as it was written last, and what became of it. */
export type JudgedObject = {
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
    this.#judge(object.key, entry, new Map(entry?.claims).set(source, object));
  }

  delete(source: number, key: ObjectKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || !entry.claims.has(source)) return;
    const claims = new Map(entry.claims);
    claims.delete(source);
    this.#judge(key, entry, claims);
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
    for (const [key, { judged, diagnostics }] of this.#entries) {
      if (judged === undefined) continue;
      const isAdmitted = diagnostics.every(({ level }) => level !== 'error');
      yield { source: judged, isAdmitted, inForce: this.#kinds.get(judged.kind)?.get(key) };
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
    return this.#entries.get(objectKey(kind, namespace, name))?.judged?.locate?.(path);
  }

  #judge(key: ObjectKey, entry: Entry | undefined, claims: ReadonlyMap<number, SourceObject>): void {
    const [first, ...others] = [...claims].sort(([a], [b]) => a - b);
    if (first === undefined) return this.#forget(key, entry);
    const [owner, object] = first;
    const isKnown = entry?.judged !== undefined && entry.diagnostics.length === 0 && saysTheSame(entry.judged, object);
    const diagnostics = isKnown ? [] : this.#admit(object);
    for (const [, other] of others) diagnostics.push(conflict(other, this.#sources[owner] ?? ''));
    this.#entries.set(key, { claims, judged: object, diagnostics });
    if (diagnostics.length > 0) this.#troubled.add(key);
    else if (!this.#troubled.delete(key)) return;
    this.#diagnostics = undefined;
  }

  #forget(key: ObjectKey, entry: Entry | undefined): void {
    const kind = entry?.judged?.kind;
    if (kind !== undefined) this.#kinds.get(kind)?.remove(key);
    this.#entries.delete(key);
    if (this.#troubled.delete(key)) this.#diagnostics = undefined;
  }

  #admit(object: SourceObject): Diagnostic[] {
    const judgement = this.#kinds.get(object.kind)?.admit(object);
    return judgement === undefined ? [] : diagnosticsOf(object, judgement);
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

/** The same document on another line, or read by another pass. */
function saysTheSame(a: SourceObject, b: SourceObject): boolean {
  return a === b || (a.body === b.body && a.meta.name === b.meta.name && a.meta.namespace === b.meta.namespace);
}

function sameLists(a: ObjectsByKind, b: ObjectsBeingBuilt): boolean {
  return Object.values(collections).every(({ kind }) => a[kind] === b[kind]);
}

function isComplete(objects: ObjectsBeingBuilt): objects is ObjectsByKind {
  return Object.values(collections).every(({ kind }) => objects[kind] !== undefined);
}
