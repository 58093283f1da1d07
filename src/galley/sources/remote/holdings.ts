import { collections, type Kind } from '../../../apis/collections.ts';
import type { Issue } from '../../../apis/issue.ts';
import { renderPath } from '../../../apis/issue.ts';
import type { Clock } from '../../../kit/clock.ts';
import { Turn } from '../../../kit/turn.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ObjectKey } from '../../../model/ids.ts';
import type { SourceObject, SourceSink } from '../source.ts';
import type { ReadIncoming } from './incoming.ts';

/** One collection that a source is asked for, under the name that the protocol has for it. */
export type Wanted = { readonly name: string; readonly kind: string; readonly read: ReadIncoming };

/** One answer: all of a collection, or what changed in it. */
export type Answer = {
  readonly collection: string;
  readonly isFull: boolean;
  readonly resources: readonly { readonly name: string; readonly version: string; readonly bytes: Uint8Array }[];
  readonly removed: readonly string[];
};

type Held = { readonly key: ObjectKey; readonly version: string | undefined };

type Collection = {
  readonly wanted: Wanted;
  readonly held: Map<string, Held>;
  isFilled: boolean;
  isForgone: boolean;
};

export type HoldingsDeps = {
  readonly wanted: readonly Wanted[];
  readonly sink: SourceSink;
  readonly clock: Clock;
};

/** As many complaints as fit into a message that people read. */
const NAMED = 20;

/**
 * What was received from a config source. It stays when the source is lost, and the sink hears of each answer as one update;
 * once every collection had its first, it hears that too.
 */
export class Holdings {
  readonly #collections: ReadonlyMap<string, Collection>;
  readonly #sink: SourceSink;
  readonly #clock: Clock;
  readonly #unreadable = new Map<string, Diagnostic>();
  #state: Diagnostic | undefined;
  #isSynced = false;

  constructor({ wanted, sink, clock }: HoldingsDeps) {
    this.#collections = new Map(
      wanted.map((each) => [
        each.name,
        { wanted: each, held: new Map<string, Held>(), isFilled: false, isForgone: false },
      ]),
    );
    this.#sink = sink;
    this.#clock = clock;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  has(collection: string): boolean {
    return this.#collections.has(collection);
  }

  /** What is to be asked for. */
  names(): readonly string[] {
    return [...this.#collections.values()].filter(({ isForgone }) => !isForgone).map(({ wanted }) => wanted.name);
  }

  /** Versions by name of what is held and was accepted. */
  versions(collection: string): Readonly<Record<string, string>> {
    const held = [...(this.#collections.get(collection)?.held ?? [])];
    return Object.fromEntries(held.flatMap(([name, { version }]) => (version === undefined ? [] : [[name, version]])));
  }

  /** Takes an answer. What comes back names the objects that cannot be accepted, and why; the others are taken. */
  async take({ collection, isFull, resources, removed }: Answer): Promise<string | undefined> {
    const entry = this.#collections.get(collection);
    if (entry === undefined) throw new Error(`an answer for ${collection}, which was not asked for`);
    const complaints: string[] = [];
    const upserts: SourceObject[] = [];
    const turn = new Turn(this.#clock);
    for (const resource of resources) {
      await turn.share();
      // A version is one content: who sends everything each time sends mostly what is known.
      if (resource.version !== '' && entry.held.get(resource.name)?.version === resource.version) continue;
      const { object, problem } = this.#read(entry, resource);
      if (problem !== undefined) complaints.push(`'${resource.name}': ${problem}`);
      // What cannot be admitted goes on too: admission says what is wrong with it, and keeps the version from before.
      if (object !== undefined) upserts.push(object);
    }
    const gone = isFull ? missingFrom(resources, entry) : removed;
    const deletes = gone.flatMap((name) => this.#drop(entry, name));
    if (upserts.length + deletes.length + complaints.length > 0) {
      this.#sink.apply({ upserts, deletes, diagnostics: this.#diagnostics() });
    }
    entry.isFilled = true;
    this.#checkSynced();
    return complaints.length === 0 ? undefined : summary(complaints);
  }

  /** Gives up on collections that the source does not have: they are empty. */
  forgo(isForgone: (collection: string) => boolean): void {
    for (const [name, entry] of this.#collections) {
      if (!isForgone(name)) continue;
      entry.isFilled = true;
      entry.isForgone = true;
    }
    this.#checkSynced();
  }

  /** What is to be said of the connection; nothing when all is well. */
  describe(state: Diagnostic | undefined): void {
    if (state?.message === this.#state?.message) return;
    this.#state = state;
    this.#sink.apply({ upserts: [], deletes: [], diagnostics: this.#diagnostics() });
  }

  #read(
    { wanted, held }: Collection,
    { name, version, bytes }: Answer['resources'][number],
  ): { readonly object: SourceObject | undefined; readonly problem: string | undefined } {
    const read = wanted.read(bytes);
    const problem = read.ok ? problemOf(read.value) : read.error;
    this.#report(wanted.name, name, read.ok ? undefined : unreadable(wanted.kind, name, read.error));
    const key = read.ok ? read.value.key : held.get(name)?.key;
    if (key !== undefined) held.set(name, { key, version: problem === undefined ? version : undefined });
    return { object: read.ok ? read.value : undefined, problem };
  }

  #drop({ wanted, held }: Collection, name: string): readonly ObjectKey[] {
    const key = held.get(name)?.key;
    held.delete(name);
    this.#report(wanted.name, name, undefined);
    return key === undefined ? [] : [key];
  }

  #report(collection: string, name: string, diagnostic: Diagnostic | undefined): void {
    const id = `${collection} ${name}`;
    if (diagnostic === undefined) this.#unreadable.delete(id);
    else this.#unreadable.set(id, diagnostic);
  }

  #diagnostics(): readonly Diagnostic[] {
    return this.#state === undefined ? [...this.#unreadable.values()] : [this.#state, ...this.#unreadable.values()];
  }

  #checkSynced(): void {
    if (this.#isSynced || ![...this.#collections.values()].every(({ isFilled }) => isFilled)) return;
    this.#isSynced = true;
    this.#sink.synced();
  }
}

function missingFrom(resources: Answer['resources'], { held }: Collection): readonly string[] {
  const present = new Set(resources.map(({ name }) => name));
  return [...held.keys()].filter((name) => !present.has(name));
}

/** The first error of an object, if it has one. */
function problemOf({ kind, meta, body }: SourceObject): string | undefined {
  const { issues } = collections[kind as Kind].check(body, meta);
  const error = issues.find(({ level }) => level === 'error');
  return error === undefined ? undefined : describeIssue(error);
}

function describeIssue({ code, path, message }: Issue): string {
  return `${code} ${renderPath(path)}: ${message}`;
}

function summary(complaints: readonly string[]): string {
  const rest = complaints.length - NAMED;
  return [...complaints.slice(0, NAMED), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

function unreadable(kind: string, qualified: string, problem: string): Diagnostic {
  const slash = qualified.indexOf('/');
  const object = { kind, namespace: qualified.slice(0, Math.max(0, slash)), name: qualified.slice(slash + 1) };
  const message = `cannot be read as received (${problem}): look at what the config source runs; what it sent before stays in force`;
  return { code: 'XEB1022', level: 'error', path: [], message, object, at: undefined };
}
