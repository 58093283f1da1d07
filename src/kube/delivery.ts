import { err, ok, type Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { KubeObject } from './api.ts';
import { resourceVersionOf } from './json.ts';
import type { Reflection } from './reflection.ts';
import type { ReflectorMetrics } from './reflector-metrics.ts';

/** `value` is `undefined` for what is gone. */
type Change<T> = { readonly key: string; readonly version: string; readonly value: T | undefined };

type Failures = { count: number; first: { readonly error: unknown; readonly key: string | undefined } | undefined };

/**
 * What the receiver of a reflection has been told. Of an object only its key and version are kept here. A receiver that throws
 * hurts the object it threw for, and nothing else.
 */
export class Delivery<T> {
  readonly #reflection: Reflection<T>;
  readonly #log: Logger;
  readonly #metrics: ReflectorMetrics;
  /** The version that was told last; an empty one when it is not sure what of it arrived. */
  readonly #known = new Map<string, string>();
  #pending = new Map<string, Change<T>>();
  /** What the receiver threw at. */
  #failed = new Map<string, Change<T>>();
  /** Keys of the list that is under way. */
  #seen = new Set<string>();
  /** Since the last flush. */
  #failures: Failures = { count: 0, first: undefined };

  constructor(reflection: Reflection<T>, log: Logger, metrics: ReflectorMetrics) {
    this.#reflection = reflection;
    this.#log = log;
    this.#metrics = metrics;
  }

  beginList(): void {
    this.#seen = new Set();
  }

  /** An item of the list. What was told already is not told again. */
  list(object: KubeObject): void {
    const key = this.#keyOf(object);
    if (key === undefined) return;
    this.#seen.add(key);
    const version = resourceVersionOf(object);
    if (version === '' || this.#known.get(key) !== version) this.#put(key, version, object);
  }

  /** The list is complete: what it lacks is gone. */
  endList(): void {
    for (const key of this.#known.keys())
      if (!this.#seen.has(key)) this.#enqueue({ key, version: '', value: undefined });
    this.#seen = new Set();
    this.retry();
    this.flush();
  }

  upsert(object: KubeObject): void {
    const key = this.#keyOf(object);
    if (key !== undefined) this.#put(key, resourceVersionOf(object), object);
  }

  remove(object: KubeObject): void {
    const key = this.#keyOf(object);
    if (key !== undefined) this.#gone(key, resourceVersionOf(object));
  }

  /** Has what the receiver threw at told once more with the next flush. */
  retry(): void {
    for (const change of this.#failed.values())
      if (!this.#pending.has(change.key)) this.#pending.set(change.key, change);
    this.#failed = new Map();
  }

  flush(): void {
    const changes = [...this.#pending.values()];
    this.#pending = new Map();
    if (changes.length > 0 && !this.#tell(changes)) {
      const refused = changes.length === 1 ? changes : changes.filter((change) => !this.#tell([change]));
      for (const change of refused) {
        this.#failed.set(change.key, change);
        this.#known.set(change.key, '');
      }
    }
    this.#metrics.objects(this.#known.size);
    this.#logFailures();
  }

  #put(key: string, version: string, object: KubeObject): void {
    const projected = attempt(() => this.#reflection.project(object));
    // Of an object that cannot be read, the receiver keeps what it has.
    if (!projected.ok) this.#threw(projected.error, key);
    else if (projected.value === undefined) this.#gone(key, version);
    else this.#enqueue({ key, version, value: projected.value });
  }

  #gone(key: string, version: string): void {
    if (this.#known.has(key)) this.#enqueue({ key, version, value: undefined });
    else this.#pending.delete(key);
  }

  #enqueue(change: Change<T>): void {
    this.#failed.delete(change.key);
    this.#pending.set(change.key, change);
  }

  #tell(changes: readonly Change<T>[]): boolean {
    const upserts = changes.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const deletes = changes.flatMap(({ key, value }) => (value === undefined ? [key] : []));
    const told = attempt(() => this.#reflection.onChange({ upserts, deletes }));
    if (!told.ok) {
      if (changes.length === 1) this.#threw(told.error, changes[0]?.key);
      return false;
    }
    for (const { key, version, value } of changes) {
      if (value === undefined) this.#known.delete(key);
      else this.#known.set(key, version);
    }
    return true;
  }

  #keyOf(object: KubeObject): string | undefined {
    const key = attempt(() => this.#reflection.keyOf(object));
    if (key.ok) return key.value;
    this.#threw(key.error, undefined);
    return undefined;
  }

  #threw(error: unknown, key: string | undefined): void {
    this.#failures.count += 1;
    this.#failures.first ??= { error, key };
  }

  /** One line, however many objects it was. */
  #logFailures(): void {
    const { count, first } = this.#failures;
    if (first === undefined) return;
    this.#failures = { count: 0, first: undefined };
    this.#metrics.callbackFailure(count);
    this.#log.error(
      { ...first, objects: count },
      'an object of the Kubernetes API could not be taken; it is tried again',
    );
  }
}

function attempt<T>(work: () => T): Result<T, unknown> {
  try {
    return ok(work());
  } catch (error) {
    return err(error);
  }
}
