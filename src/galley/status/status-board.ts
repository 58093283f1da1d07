import { collections } from '../../apis/collections.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { JudgedObject } from '../admit/config-store.ts';
import { conditionOf, type ObjectStatus } from './conditions.ts';
import type { Distribution, ObjectDistribution, Refusal } from './distribution.ts';
import { judgeObject } from './judge-object.ts';
import { type PresentStatus, readPresent, wasProgrammed } from './present-status.ts';

/** One object, what is to be said of it, and what its status says at present. */
export type Posted = {
  readonly object: JudgedObject;
  readonly status: ObjectStatus;
  readonly present: PresentStatus;
};

/** What tells one version of an object from another: its generation, or (from files) what was read. */
type Version = number | ConfigObject | undefined;

type Entry = {
  readonly version: Version;
  /** Since when some proxy has not confirmed this version; nothing while all have. */
  openSince: number | undefined;
  isLatched: boolean;
  posted: Posted | undefined;
};

export type BoardInputs = {
  readonly objects: Iterable<JudgedObject>;
  readonly diagnostics: readonly Diagnostic[];
  readonly distribution: Distribution;
};

const statusKinds: ReadonlySet<string> = new Set(
  Object.values(collections).flatMap(({ kind, source }) => (source === 'istio' ? [kind] : [])),
);

const TURN_MS = 8;

/** What is to be said of every object, and what had to be remembered for that: which versions were once programmed. */
export class StatusBoard {
  readonly #clock: Clock;
  #entries = new Map<ObjectKey, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  *posted(): Iterable<Posted> {
    for (const { posted } of this.#entries.values()) if (posted !== undefined) yield posted;
  }

  /** Takes turns with other work. */
  async refresh({ objects, diagnostics, distribution }: BoardInputs): Promise<void> {
    const byObject = groupByObject(diagnostics);
    const next = new Map<ObjectKey, Entry>();
    const judged = [...objects].filter(({ source }) => statusKinds.has(source.kind));
    for (const object of judged) next.set(object.source.key, this.#entryFor(object));
    this.#entries = next;
    let started = this.#clock.monotonic();
    for (const object of judged) {
      const { key } = object.source;
      const entry = next.get(key);
      if (entry !== undefined) this.#post(entry, object, { diagnostics: byObject.get(key) ?? [], distribution });
      if (this.#clock.monotonic() - started < TURN_MS) continue;
      await this.#clock.yield();
      started = this.#clock.monotonic();
    }
  }

  /** Whether some object still waits, so that time alone may change what is said of it. */
  get isWaiting(): boolean {
    return [...this.#entries.values()].some(({ openSince }) => openSince !== undefined);
  }

  #entryFor(object: JudgedObject): Entry {
    const { key, meta, body } = object.source;
    const version = versionOf(object);
    const known = this.#entries.get(key);
    if (known !== undefined && known.version === version) return known;
    const isLatched = object.isAdmitted && wasProgrammed(readPresent(body), meta.generation);
    return { version, openSince: undefined, isLatched, posted: undefined };
  }

  #post(
    entry: Entry,
    object: JudgedObject,
    { diagnostics, distribution }: { diagnostics: readonly Diagnostic[]; distribution: Distribution },
  ): void {
    const { source, isAdmitted, inForce } = object;
    const counts = countsOf(object, distribution);
    const now = this.#clock.monotonic();
    entry.openSince = counts.pending + counts.undecided === 0 ? undefined : (entry.openSince ?? now);
    const status = judgeObject({
      generation: source.meta.generation,
      diagnostics,
      programmed: {
        isAdmitted,
        inForce: inForce?.meta.generation,
        isEnforced: true,
        counts,
        refusal: this.#ownRefusal(source.key, entry, counts),
        replicas: distribution,
        isLatched: entry.isLatched,
        openMs: entry.openSince === undefined ? 0 : now - entry.openSince,
      },
    });
    if (conditionOf(status, 'Programmed')?.status === 'True') entry.isLatched = true;
    entry.posted = { object, status, present: readPresent(source.body) };
  }

  /** The refusal that is this object's fault, or may be: where a proxy's words fit several, those that proxies once had are cleared. */
  #ownRefusal(key: ObjectKey, { isLatched }: Entry, { refusals }: ObjectDistribution): Refusal | undefined {
    return refusals.find(({ blame, suspects }) => {
      if (blame !== 'unclear') return blame === 'this';
      const isFresh = (suspect: ObjectKey): boolean => this.#entries.get(suspect)?.isLatched === false;
      return !isLatched || !suspects.some((suspect) => suspect !== key && isFresh(suspect));
    });
  }
}

/** A generation moves with the spec only; from files there are none. */
function versionOf({ source, inForce, isAdmitted }: JudgedObject): Version {
  return source.meta.generation ?? (isAdmitted ? inForce : undefined);
}

const nobody: Omit<ObjectDistribution, 'generation' | 'object' | 'undecided'> = {
  known: 0,
  programmed: 0,
  pending: 0,
  heldBack: 0,
  refused: 0,
  refusals: [],
};

/** What proxies have of the version in force; while an older one is counted, that is how many are to get the new one. */
function countsOf({ source, inForce }: JudgedObject, { objects }: Distribution): ObjectDistribution {
  const generation = inForce?.meta.generation;
  const counts = objects.get(source.key);
  if (counts === undefined) return { ...nobody, generation, object: inForce, undecided: 0 };
  const isSame = generation === undefined ? counts.object === inForce : counts.generation === generation;
  if (isSame) return counts;
  return { ...nobody, generation, object: inForce, undecided: Math.max(1, counts.known + counts.undecided) };
}

function groupByObject(diagnostics: readonly Diagnostic[]): ReadonlyMap<ObjectKey, readonly Diagnostic[]> {
  const byObject = new Map<ObjectKey, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    if (diagnostic.object === undefined) continue;
    const { kind, namespace, name } = diagnostic.object;
    const key = objectKey(kind, namespace, name);
    const known = byObject.get(key);
    if (known === undefined) byObject.set(key, [diagnostic]);
    else known.push(diagnostic);
  }
  return byObject;
}
