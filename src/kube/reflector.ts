import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { KubeApi, KubeError, KubeErrorReason, KubeResult, WatchEvent } from './api.ts';
import { backoffMs } from './backoff.ts';
import { Delivery } from './delivery.ts';
import { resourceVersionOf } from './json.ts';
import type { Reflection, ReflectionState } from './reflection.ts';
import { type ReflectorMetrics, reflectorMetrics } from './reflector-metrics.ts';
import { isNewerVersion } from './resource-version.ts';

export type ReflectorDeps = {
  readonly api: Pick<KubeApi, 'list' | 'watch'>;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
};

const PAGE_LIMIT = 500;
/** Bookmarks come every minute, and may be a little late. */
const SILENCE_MS = 75_000;
const WATCH_SECONDS = 300;
/**
 * Of a kind that has not changed since the API server started, there are no bookmarks: unless we have seen one, the server is to
 * end the watch by itself before it counts as dead. That costs a request and no connection.
 */
const UNMARKED_WATCH_SECONDS = 45;
/** A watch that lived so long had no trouble to begin with. */
const STABLE_MS = 5_000;
/** A watch that ends sooner, without a word, is a trouble of its own. */
const SHORT_MS = 1_000;
/** An outage is over for us at most so long after it is over. */
const outageTimes = { firstMs: 500, maxMs: 8_000 };
/** What only a person changes, or what costs a whole list. */
const patientTimes = { firstMs: 500, maxMs: 30_000 };
const patientReasons: ReadonlySet<KubeErrorReason> = new Set(['not-found', 'forbidden', 'expired']);
const MAX_RETRY_AFTER_MS = 60_000;
/** What we have seen is of no use any more. */
const lostReasons: ReadonlySet<KubeErrorReason> = new Set(['expired', 'not-found']);
/** So many failed attempts to resume are followed by a list, except where a list would fare no better. */
const RESUMES = 5;
const noListReasons: ReadonlySet<KubeErrorReason> = new Set(['unreachable', 'too-many-requests', 'forbidden']);

/**
 * Keeps somebody's copy of the objects of one resource up to date: a list in pages, then a watch that is resumed where it broke.
 * Each object is projected as it arrives, and dropped. An outage deletes nothing: what is gone is what a later list lacks.
 */
export class Reflector<T> implements Runnable {
  readonly name: string;
  readonly #deps: ReflectorDeps;
  readonly #reflection: Reflection<T>;
  readonly #log: Logger;
  readonly #metrics: ReflectorMetrics;
  readonly #delivery: Delivery<T>;
  #state: ReflectionState = { kind: 'starting' };
  /** What has been seen; `undefined` when only a list helps. */
  #version: string | undefined;
  #limit = PAGE_LIMIT;
  /** Whether the API server sends bookmarks. */
  #isMarked = false;
  /** In a row. */
  #failures = 0;
  /** Whether a trouble was logged whose end is to be logged too. */
  #isTroubleLogged = false;

  constructor(deps: ReflectorDeps, reflection: Reflection<T>) {
    const { group, plural } = reflection.type;
    const resource = group === '' ? plural : `${plural}.${group}`;
    this.name = `reflector of ${resource}`;
    this.#deps = deps;
    this.#reflection = reflection;
    this.#log = deps.log.child({ component: 'kube', resource });
    this.#metrics = reflectorMetrics(deps.metrics, resource);
    this.#delivery = new Delivery(reflection, this.#log, this.#metrics);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const error = this.#version === undefined ? await this.#list(signal) : await this.#watch(signal);
      if (error === undefined || signal.aborted) continue;
      this.#failures += 1;
      this.#judge(error);
      await this.#deps.clock.sleep(this.#pauseMs(error), signal);
    }
  }

  /** Returns what went wrong. */
  async #list(signal: AbortSignal): Promise<KubeError | undefined> {
    const { type, namespace, selectors } = this.#reflection;
    this.#metrics.list();
    this.#delivery.beginList();
    let continueToken: string | undefined;
    do {
      const options = { ...selectors, namespace, limit: this.#limit, continueToken };
      const page = await this.#deps.api.list(type, options, signal);
      if (signal.aborted) return undefined;
      if (!page.ok) {
        if (page.error.reason !== 'too-large' || this.#limit === 1) return page.error;
        this.#limit = Math.floor(this.#limit / 2);
        return await this.#list(signal);
      }
      for (const item of page.value.items) this.#delivery.list(item);
      continueToken = page.value.continueToken;
      if (continueToken === undefined) {
        this.#version = page.value.resourceVersion;
        this.#delivery.endList();
      } else this.#delivery.flush();
    } while (continueToken !== undefined);
    this.#call(() => this.#reflection.onSynced());
    this.#tell({ kind: 'synced' });
    return undefined;
  }

  /** Returns what went wrong, be it only that the watch was too short. */
  async #watch(signal: AbortSignal): Promise<KubeError | undefined> {
    const { clock, api, random } = this.#deps;
    const { type, namespace, selectors } = this.#reflection;
    // Up to 600, or up to 60.
    const seconds = this.#isMarked ? WATCH_SECONDS * (1 + random()) : UNMARKED_WATCH_SECONDS * (1 + random() / 3);
    const options = {
      ...selectors,
      namespace,
      resourceVersion: this.#version ?? '',
      timeoutSeconds: Math.round(seconds),
      silenceMs: SILENCE_MS,
      onOpen: () => this.#tell({ kind: 'synced' }),
    };
    this.#metrics.watch();
    const begin = clock.monotonic();
    const { events, error } = await this.#follow(api.watch(type, options, signal), signal);
    const lived = clock.monotonic() - begin;
    if (lived >= STABLE_MS) this.#failures = 0;
    if (lived >= SILENCE_MS && error !== undefined) this.#isMarked = false;
    if (error === undefined && events === 0 && lived < SHORT_MS) return tooShort;
    return error;
  }

  async #follow(
    watch: AsyncIterable<KubeResult<WatchEvent>>,
    signal: AbortSignal,
  ): Promise<{ readonly events: number; readonly error: KubeError | undefined }> {
    let events = 0;
    let isFlushing = false;
    const flush = (): void => {
      isFlushing = false;
      if (!signal.aborted) this.#delivery.flush();
    };
    for await (const event of watch) {
      if (signal.aborted) break;
      if (!event.ok) {
        flush();
        return { events, error: event.error };
      }
      events += 1;
      this.#take(event.value);
      if (isFlushing) continue;
      isFlushing = true;
      // What arrived together is told together.
      void this.#deps.clock.yield().then(flush);
    }
    flush();
    return { events, error: undefined };
  }

  #take(event: WatchEvent): void {
    this.#metrics.event(event.type);
    if (event.type === 'BOOKMARK') this.#isMarked = true;
    const version = event.type === 'BOOKMARK' ? event.resourceVersion : resourceVersionOf(event.object);
    // Doubled, or from before what we know.
    if (version === '' || (this.#version !== undefined && !isNewerVersion(version, this.#version))) return;
    this.#version = version;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#delivery.upsert(event.object);
        return;
      case 'DELETED':
        this.#delivery.remove(event.object);
        return;
      case 'BOOKMARK':
        this.#delivery.retry();
    }
  }

  /** What follows from a failure, except for the pause. */
  #judge({ reason, message }: KubeError): void {
    this.#metrics.error(reason);
    const isListing = this.#version === undefined;
    const isLost = lostReasons.has(reason);
    const isStuck = this.#failures % RESUMES === 0 && !noListReasons.has(reason);
    if (isLost || isStuck) this.#version = undefined;
    if (reason === 'forbidden') this.#tell({ kind: 'forbidden', message }, reason);
    else if (reason === 'not-found' && isListing) this.#tell({ kind: 'absent', message }, reason);
    // A watch that breaks is resumed, and nobody needs to know; only a second failure is a trouble.
    else if (!isLost && (isListing || this.#failures > 1)) this.#tell({ kind: 'failing', message }, reason);
  }

  #pauseMs({ reason, retryAfterMs }: KubeError): number {
    const { random } = this.#deps;
    const pause = backoffMs(this.#failures, patientReasons.has(reason) ? patientTimes : outageTimes, random);
    if (retryAfterMs === undefined) return pause;
    return Math.max(pause, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) * (1 + random() / 4));
  }

  #tell(state: ReflectionState, reason?: KubeErrorReason): void {
    const known = this.#state;
    if (known.kind === state.kind && messageOf(known) === messageOf(state)) return;
    this.#state = state;
    if (known.kind !== state.kind) this.#logState(state, reason);
    this.#call(() => this.#reflection.onState(state));
  }

  /** What all reflectors would say alike is said by others: that the API server does not answer, and that kinds are missing. */
  #logState(state: ReflectionState, reason: KubeErrorReason | undefined): void {
    const isTrouble = state.kind === 'forbidden' || (state.kind === 'failing' && reason !== 'unreachable');
    if (isTrouble) {
      this.#log.warn(
        { state: state.kind, reason: state.message },
        'a resource of the Kubernetes API cannot be read; what is known of it stays, and it is tried again',
      );
    } else if (state.kind === 'synced' && this.#isTroubleLogged) {
      this.#log.info({}, 'a resource of the Kubernetes API can be read again');
    } else this.#log.debug({ state: state.kind, reason: messageOf(state) }, 'the state of a reflector changed');
    if (isTrouble || state.kind === 'synced') this.#isTroubleLogged = isTrouble;
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#metrics.callbackFailure(1);
      this.#log.error({ error }, 'a receiver of the Kubernetes API threw');
    }
  }
}

const tooShort: KubeError = {
  reason: 'server',
  status: undefined,
  message: 'the API server ends watches at once',
  retryAfterMs: undefined,
};

function messageOf(state: ReflectionState): string {
  return 'message' in state ? state.message : '';
}
