import { ChangeSignal } from '../kit/change-signal.ts';
import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Counter, Metrics } from '../telemetry/metrics.ts';
import type { EventNote, EventRecorder, EventSubject, KubeApi, KubeError, KubeResult, ObjectName } from './api.ts';
import { buildEvent, buildSeries, type EventReporter, eventType, type Occurrences } from './event-object.ts';
import { nameOf } from './json.ts';

export type EventRecorderDeps = {
  readonly api: Pick<KubeApi, 'create' | 'patch'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

export type EventLimits = {
  /** Of one object and reason there is one write in so long. */
  readonly quietMs: number;
  /** Writes per second in the long run, and how many at once after quiet. */
  readonly perSecond: number;
  readonly burst: number;
  /** How many pairs of object and reason are remembered. */
  readonly memory: number;
};

const defaultLimits: EventLimits = { quietMs: 600_000, perSecond: 5, burst: 50, memory: 4_096 };

/** The API server forgets an Event an hour after it was last written. */
const KEPT_MS = 3_000_000;

/** One object and one reason. */
type Entry = {
  readonly subject: EventSubject;
  note: EventNote;
  /** Not written yet. */
  fresh: Occurrences | undefined;
  written:
    | { readonly name: ObjectName; readonly note: EventNote; readonly count: number; readonly at: number }
    | undefined;
  /** When it may be written, by the monotonic clock. */
  dueAt: number;
};

/** Writes Events in the background: what repeats is counted in the series of the first. What cannot be written is dropped and counted. */
export class ApiEventRecorder implements EventRecorder, Runnable {
  readonly name = 'event recorder';
  readonly #deps: EventRecorderDeps;
  readonly #reporter: EventReporter;
  readonly #limits: EventLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #changes = new ChangeSignal();
  readonly #dropped: Counter;
  readonly #writes: Counter;
  #budget: { readonly left: number; readonly at: number };
  #lastReason = '';

  constructor(deps: EventRecorderDeps, reporter: EventReporter, limits: Partial<EventLimits> = {}) {
    this.#deps = deps;
    this.#reporter = reporter;
    this.#limits = { ...defaultLimits, ...limits };
    this.#budget = { left: this.#limits.burst, at: Number.NEGATIVE_INFINITY };
    const { metrics } = deps;
    this.#writes = metrics.counter({ name: 'xebec_kube_events_written_total', help: 'Events written.' });
    this.#dropped = metrics.counter({
      name: 'xebec_kube_events_dropped_total',
      help: 'Events dropped, by reason: memory, or how the API server refused.',
      labels: ['reason'],
    });
  }

  record(subject: EventSubject, note: EventNote): void {
    const key = JSON.stringify([subject.kind, subject.namespace, subject.name, subject.uid, note.reason]);
    const now = this.#deps.clock.now();
    const entry = this.#entries.get(key) ?? this.#remember(key, subject, note);
    if (entry === undefined) {
      this.#dropped.add(1, { reason: 'memory' });
      return;
    }
    entry.note = note;
    entry.fresh = { count: (entry.fresh?.count ?? 0) + 1, first: entry.fresh?.first ?? now, last: now };
    this.#changes.raise();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { entry, waitMs } = this.#next();
      if (entry === undefined || waitMs > 0) await this.#wait(waitMs, signal);
      else await this.#write(entry, signal);
    }
  }

  #remember(key: string, subject: EventSubject, note: EventNote): Entry | undefined {
    if (this.#entries.size >= this.#limits.memory) this.#forget(0);
    if (this.#entries.size >= this.#limits.memory) return undefined;
    const dueAt = this.#deps.clock.monotonic();
    const entry: Entry = { subject, note, fresh: undefined, written: undefined, dueAt };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Forgets what has nothing to say, and has been allowed to for so long. */
  #forget(idleMs: number): void {
    const before = this.#deps.clock.monotonic() - idleMs;
    for (const [key, { fresh, dueAt }] of this.#entries)
      if (fresh === undefined && dueAt <= before) this.#entries.delete(key);
  }

  /** The entry that is due first, and how long until then; without one, how long until there is something to forget. */
  #next(): { readonly entry: Entry | undefined; readonly waitMs: number } {
    const now = this.#deps.clock.monotonic();
    this.#forget(KEPT_MS);
    let entry: Entry | undefined;
    for (const each of this.#entries.values())
      if (each.fresh !== undefined && (entry === undefined || each.dueAt < entry.dueAt)) entry = each;
    if (entry === undefined) return { entry, waitMs: this.#limits.quietMs };
    return { entry, waitMs: Math.max(entry.dueAt - now, this.#budgetMs(now)) };
  }

  /** How long until the budget allows a write. */
  #budgetMs(now: number): number {
    const { burst, perSecond } = this.#limits;
    const left = Math.min(burst, this.#budget.left + ((now - this.#budget.at) / 1_000) * perSecond);
    this.#budget = { left, at: now };
    return left >= 1 ? 0 : Math.ceil(((1 - left) / perSecond) * 1_000);
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    await Promise.race([this.#changes.next(either), this.#deps.clock.sleep(ms, either)]);
    stop.abort();
  }

  async #write(entry: Entry, signal: AbortSignal): Promise<void> {
    const { fresh, note } = entry;
    if (fresh === undefined) return;
    entry.fresh = undefined;
    this.#budget = { ...this.#budget, left: this.#budget.left - 1 };
    const known = this.#isContinued(entry) ? entry.written : undefined;
    const count = fresh.count + (known?.count ?? 0);
    const seen = { ...fresh, count };
    let result = known === undefined ? undefined : await this.#extend(known.name, seen, signal);
    // It may be forgotten already, or deleted.
    if (result === undefined || (!result.ok && result.error.reason === 'not-found'))
      result = await this.#create(entry, note, fresh, signal);
    if (signal.aborted) return;
    const at = this.#deps.clock.monotonic();
    entry.dueAt = at + this.#limits.quietMs;
    if (result.ok) {
      entry.written = { name: nameOf(result.value), note, count, at };
      this.#writes.add();
      this.#lastReason = '';
    } else this.#drop(entry, fresh.count, result.error);
  }

  /** Whether the Event that was written last says the same, and is still there. */
  #isContinued({ written, note }: Entry): boolean {
    if (written === undefined || this.#deps.clock.monotonic() - written.at > KEPT_MS) return false;
    return (
      written.note.message === note.message && written.note.type === note.type && written.note.action === note.action
    );
  }

  #create(entry: Entry, note: EventNote, seen: Occurrences, signal: AbortSignal): Promise<KubeResult> {
    return this.#deps.api.create(eventType, buildEvent(entry.subject, note, this.#reporter, seen), signal);
  }

  #extend(name: ObjectName, seen: Occurrences, signal: AbortSignal): Promise<KubeResult> {
    return this.#deps.api.patch(eventType, name, [{ op: 'add', path: '/series', value: buildSeries(seen) }], signal);
  }

  #drop(entry: Entry, count: number, { reason, message }: KubeError): void {
    this.#dropped.add(count, { reason });
    // Without an answer nothing was written: the next time may be a better one.
    if (reason === 'unreachable') entry.dueAt = this.#deps.clock.monotonic();
    if (reason === this.#lastReason) return;
    this.#lastReason = reason;
    this.#deps.log.warn(
      { component: 'kube', reason: message },
      'Events cannot be written; they are dropped and counted',
    );
  }
}
