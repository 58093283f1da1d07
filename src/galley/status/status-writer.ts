import type { Clock } from '../../kit/clock.ts';
import type { EventRecorder, KubeApi, KubeError, KubeObject } from '../../kube/api.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { isRecord } from '../is-record.ts';
import type { StatusPatch } from './status-patch.ts';

export type StatusWriterDeps = {
  readonly api: Pick<KubeApi, 'apply'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
};

const FIELD_MANAGER = 'xebec-status';

/** No object is written more often, and all together at most so many in a second. */
const PAUSE_MS = 2_000;
const WRITES_PER_SECOND = 20;

/** After a refusal that will be repeated, of a whole kind or of one object. */
const LONG_PAUSE_MS = 60_000;

/** What was written last of an object, and what the API server made of it. */
type Written = { readonly fingerprint: string; readonly result: string };

/**
 * Writes statuses by server-side apply: each object's newest one, only where it differs, and within a budget. What fails is tried
 * again as long as it is still to be said.
 */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  #wanted = new Map<ObjectKey, StatusPatch>();
  readonly #written = new Map<ObjectKey, Written>();
  /** When an object may be written again. */
  readonly #notBefore = new Map<ObjectKey, number>();
  /** The same for all objects of a kind that may not be written. */
  readonly #barred = new Map<string, number>();
  #isFailing = false;
  #wake: AbortController | undefined;

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
  }

  /** What is to be written now; what was said before and is not in it, is not. `statusOf` is the present status. */
  want(patches: ReadonlyMap<ObjectKey, StatusPatch>, statusOf: (key: ObjectKey) => unknown): void {
    const wanted = new Map<ObjectKey, StatusPatch>();
    for (const [key, patch] of patches) {
      const written = this.#written.get(key);
      // Somebody else's field cannot be taken away: written once is enough.
      const isInVain = written?.fingerprint === patch.fingerprint && written.result === textOf(statusOf(key));
      if (!isInVain) wanted.set(key, patch);
    }
    this.#wanted = wanted;
    this.#forget();
    this.#wake?.abort();
  }

  /** Writes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      const now = clock.monotonic();
      const next = [...this.#wanted].find(([key, patch]) => this.#dueAt(key, patch) <= now);
      if (next !== undefined) {
        await this.#write(next, signal);
        await clock.sleep(1000 / WRITES_PER_SECOND, signal);
        continue;
      }
      const dueIn = Math.min(...[...this.#wanted].map(([key, patch]) => this.#dueAt(key, patch) - now), LONG_PAUSE_MS);
      this.#wake = new AbortController();
      await clock.sleep(dueIn, AbortSignal.any([signal, this.#wake.signal]));
      this.#wake = undefined;
    }
  }

  #dueAt(key: ObjectKey, { type }: StatusPatch): number {
    return Math.max(this.#notBefore.get(key) ?? 0, this.#barred.get(type.plural) ?? 0);
  }

  async #write([key, patch]: readonly [ObjectKey, StatusPatch], signal: AbortSignal): Promise<void> {
    const { api, clock } = this.#deps;
    const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' } as const;
    const result = await api.apply(patch.type, patch.object, options, signal);
    if (signal.aborted) return;
    this.#notBefore.set(key, clock.monotonic() + PAUSE_MS);
    if (result.ok) this.#onWritten(key, patch, result.value);
    else this.#onRefused(key, patch, result.error);
  }

  #onWritten(key: ObjectKey, patch: StatusPatch, { status }: KubeObject): void {
    this.#written.set(key, { fingerprint: patch.fingerprint, result: textOf(status) });
    this.#drop(key, patch);
    for (const note of patch.events) this.#deps.events.record(patch.subject, note);
    if (this.#isFailing) this.#deps.log.info({}, 'statuses can be written again');
    this.#isFailing = false;
  }

  #onRefused(key: ObjectKey, patch: StatusPatch, error: KubeError): void {
    const now = this.#deps.clock.monotonic();
    switch (kindOf(error)) {
      case 'gone':
        // Deleted meanwhile; or, again and again, a definition without statuses.
        this.#notBefore.set(key, now + LONG_PAUSE_MS);
        this.#drop(key, patch);
        return;
      case 'moved on':
        // What is to be said of what the object is now is known once it has been read.
        this.#drop(key, patch);
        return;
      case 'forbidden':
        this.#bar(patch, error);
        return;
      case 'asked too often':
        this.#notBefore.set(key, now + Math.max(PAUSE_MS, error.retryAfterMs ?? 0));
        return;
      case 'senseless':
        this.#notBefore.set(key, now + LONG_PAUSE_MS);
        this.#deps.log.error(
          { object: key, error: error.message },
          'status refused by the API server: update the CRDs',
        );
        return;
      case 'away':
        if (!this.#isFailing) this.#deps.log.warn({ error: error.message }, 'statuses cannot be written, trying again');
        this.#isFailing = true;
        return;
    }
  }

  /** Unless there is something newer to say. */
  #drop(key: ObjectKey, patch: StatusPatch): void {
    if (this.#wanted.get(key) === patch) this.#wanted.delete(key);
  }

  #bar({ type }: StatusPatch, error: KubeError): void {
    const { clock, log } = this.#deps;
    const isKnown = this.#barred.has(type.plural);
    this.#barred.set(type.plural, clock.monotonic() + LONG_PAUSE_MS);
    if (isKnown) return;
    const resource = `${type.plural}.${type.group}/status`;
    log.error(
      { resource, error: error.message },
      'statuses of a kind may not be written: grant patch on this resource; it is tried again every minute',
    );
  }

  /** Keeps nothing of objects that are long settled. */
  #forget(): void {
    const now = this.#deps.clock.monotonic();
    for (const [key, at] of this.#notBefore) if (at < now) this.#notBefore.delete(key);
  }

  /** Of objects that are gone. */
  retain(live: { has(key: ObjectKey): boolean }): void {
    for (const key of this.#written.keys()) if (!live.has(key)) this.#written.delete(key);
  }
}

/** With the fields in one order. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

type Obstacle = 'gone' | 'moved on' | 'forbidden' | 'asked too often' | 'senseless' | 'away';

const obstacles: Readonly<Record<KubeError['reason'], Obstacle>> = {
  'not-found': 'gone',
  conflict: 'moved on',
  'already-exists': 'moved on',
  expired: 'moved on',
  forbidden: 'forbidden',
  unauthorized: 'forbidden',
  'too-many-requests': 'asked too often',
  invalid: 'senseless',
  other: 'senseless',
  'too-large': 'senseless',
  server: 'away',
  unreachable: 'away',
};

function kindOf({ reason }: KubeError): Obstacle {
  return obstacles[reason];
}
