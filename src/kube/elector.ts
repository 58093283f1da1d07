import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Counter, Gauge, Metrics } from '../telemetry/metrics.ts';
import type { KubeApi, KubeError, KubeObject, KubeResult, Leadership, ObjectName } from './api.ts';
import { backoffMs } from './backoff.ts';
import { resourceVersionOf } from './json.ts';
import { heldLease, leaseType, newLease, readHold, releasedLease } from './lease.ts';
import { startWatchdog } from './watchdog.ts';

export type ElectionTimes = {
  /** Others may take the Lease when it was not renewed for so long. */
  readonly leaseMs: number;
  /** A leader stops when it could not renew for so long. */
  readonly renewMs: number;
  readonly retryMs: number;
};

export type ElectorDeps = {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'update'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
};

export type Candidacy = {
  readonly lease: ObjectName;
  /** Of this process, and of no other that runs: the name of its pod, for example. */
  readonly identity: string;
  readonly times?: ElectionTimes;
};

/** Another one leads at most 14 s after a leader vanished: the lease and one retry. */
const defaultTimes: ElectionTimes = { leaseMs: 12_000, renewMs: 8_000, retryMs: 2_000 };
const workTimes = { firstMs: 1_000, maxMs: 60_000 };

/** One time of leading. */
type Term = { readonly stop: AbortController; until: number };

/**
 * Leads while it holds a Lease. Its resourceVersion is the lock. No clocks are compared: others count from when they saw the Lease
 * change, and a leader stops, by its own monotonic time, before they may take it. Whoever is frozen wakes up without leadership,
 * but cannot call back what it sent before: a write that must not come late needs a resourceVersion of its own.
 */
export class LeaseElector implements Leadership, Runnable {
  readonly name = 'leader election';
  readonly #deps: ElectorDeps;
  readonly #log: Logger;
  readonly #lease: ObjectName;
  readonly #identity: string;
  readonly #times: ElectionTimes;
  readonly #leading: Gauge;
  readonly #errors: Counter;
  #term: Term | undefined;
  /** The Lease as seen last, and since when it is like that. */
  #seen: { readonly lease: KubeObject; readonly since: number } | undefined;
  #lastReason = '';
  readonly #waiting = new Set<() => void>();
  readonly #working = new Set<Promise<void>>();

  constructor(deps: ElectorDeps, { lease, identity, times = defaultTimes }: Candidacy) {
    if (times.leaseMs <= times.renewMs || times.renewMs <= times.retryMs || identity === '')
      throw new Error('an election needs an identity, and a lease longer than its renewal, longer than a retry');
    this.#deps = deps;
    this.#log = deps.log.child({ component: 'election', lease: `${lease.namespace}/${lease.name}`, identity });
    this.#lease = lease;
    this.#identity = identity;
    this.#times = times;
    this.#leading = deps.metrics.gauge({ name: 'xebec_kube_leader', help: '1 while this replica leads.' });
    this.#errors = deps.metrics.counter({
      name: 'xebec_kube_lease_errors_total',
      help: 'Attempts to read or write the Lease that failed, by reason.',
      labels: ['reason'],
    });
  }

  get isLeader(): boolean {
    // By time, not only by timer: a process that was frozen runs other callbacks before its timers.
    return this.#term !== undefined && this.#deps.clock.monotonic() < this.#term.until;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    this.#leading.set(0);
    while (!signal.aborted) {
      const pause = this.#term === undefined ? await this.#tryToLead(signal) : await this.#renew(this.#term, signal);
      if (pause > 0) await clock.sleep(pause, signal);
    }
    await this.#resign();
  }

  async whileLeading(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const term = await this.#nextTerm(signal);
      if (term === undefined) return;
      const stop = AbortSignal.any([signal, term.stop.signal]);
      const isDone = await this.#track(this.#attempt(work, stop));
      failures = isDone ? 0 : failures + 1;
      if (isDone) await aborted(stop);
      else await this.#deps.clock.sleep(backoffMs(failures, workTimes, this.#deps.random), stop);
    }
  }

  /** Whether it ended by itself and well, or was told to. */
  async #attempt(work: (signal: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<boolean> {
    try {
      await work(stop);
      return true;
    } catch (error) {
      if (!stop.aborted) this.#log.error({ error }, 'work of the leader failed; it is begun again');
      return stop.aborted;
    }
  }

  async #track(attempt: Promise<boolean>): Promise<boolean> {
    const working = attempt.then(() => undefined);
    this.#working.add(working);
    try {
      return await attempt;
    } finally {
      this.#working.delete(working);
    }
  }

  /** The term that is, or the next one; nothing when the signal aborts. */
  async #nextTerm(signal: AbortSignal): Promise<Term | undefined> {
    while (!this.isLeader && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    return signal.aborted ? undefined : this.#term;
  }

  /** Returns how long to wait until the next attempt. */
  async #tryToLead(signal: AbortSignal): Promise<number> {
    const got = await this.#bounded(signal, (stop) => this.#deps.api.get(leaseType, this.#lease, stop));
    if (signal.aborted) return 0;
    if (!got.ok && got.error.reason !== 'not-found') return this.#failed(got.error);
    const lease = got.ok ? got.value : newLease(this.#lease);
    if (got.ok) this.#see(lease);
    const left = got.ok ? this.#leftOf(lease) : 0;
    if (left > 0) return Math.min(left, this.#retryMs());
    const sent = this.#deps.clock.monotonic();
    const written = await this.#write(lease, got.ok ? 'update' : 'create', signal);
    if (!written.ok) return this.#failed(written.error);
    this.#lead(sent);
    return this.#retryMs();
  }

  async #renew(term: Term, signal: AbortSignal): Promise<number> {
    const sent = this.#deps.clock.monotonic();
    const lease = this.#seen?.lease ?? newLease(this.#lease);
    const written = await this.#write(lease, 'update', term.stop.signal);
    if (this.#term !== term || signal.aborted) return 0;
    if (written.ok) {
      term.until = sent + this.#times.renewMs;
      this.#lastReason = '';
      return this.#retryMs();
    }
    const { reason } = written.error;
    if (reason === 'conflict') return await this.#lookAgain(term, signal);
    if (reason === 'not-found') this.#lose(term, 'the Lease is gone');
    return this.#failed(written.error);
  }

  /** Somebody wrote to the Lease: we did and the answer was lost, or somebody changed something else of it, or took it. */
  async #lookAgain(term: Term, signal: AbortSignal): Promise<number> {
    const got = await this.#bounded(signal, (stop) => this.#deps.api.get(leaseType, this.#lease, stop));
    if (this.#term !== term || signal.aborted) return 0;
    if (!got.ok) return this.#failed(got.error);
    this.#see(got.value);
    if (readHold(got.value).holder !== this.#identity) this.#lose(term, 'another replica holds the Lease');
    return this.#times.retryMs / 10;
  }

  async #write(lease: KubeObject, verb: 'create' | 'update', signal: AbortSignal): Promise<KubeResult> {
    const { api, clock } = this.#deps;
    const held = heldLease(lease, this.#identity, this.#times.leaseMs, clock.now());
    const written = await this.#bounded(signal, (stop) => api[verb](leaseType, held, stop));
    if (written.ok) this.#see(written.value);
    return written;
  }

  #see(lease: KubeObject): void {
    if (this.#seen !== undefined && resourceVersionOf(this.#seen.lease) === resourceVersionOf(lease)) return;
    this.#seen = { lease, since: this.#deps.clock.monotonic() };
  }

  /** For how long the Lease is still somebody else's. */
  #leftOf(lease: KubeObject): number {
    const { holder, durationMs = this.#times.leaseMs } = readHold(lease);
    if (holder === '' || holder === this.#identity || this.#seen === undefined) return 0;
    return this.#seen.since + durationMs - this.#deps.clock.monotonic();
  }

  /** A call that hangs leaves time for another. */
  async #bounded(signal: AbortSignal, call: (stop: AbortSignal) => Promise<KubeResult>): Promise<KubeResult> {
    const watchdog = startWatchdog(this.#deps.clock, this.#times.renewMs / 2, signal);
    try {
      return await call(watchdog.signal);
    } finally {
      watchdog.stop();
    }
  }

  #lead(sent: number): void {
    const term = { stop: new AbortController(), until: sent + this.#times.renewMs };
    this.#term = term;
    this.#lastReason = '';
    if (!this.isLeader) {
      // It took too long to hear that we had won.
      this.#term = undefined;
      return;
    }
    this.#leading.set(1);
    this.#log.info({}, 'this replica leads');
    void this.#expire(term);
    for (const wake of [...this.#waiting]) wake();
  }

  async #expire(term: Term): Promise<void> {
    const { clock } = this.#deps;
    for (let left = term.until - clock.monotonic(); left > 0; left = term.until - clock.monotonic()) {
      await clock.sleep(left, term.stop.signal);
      if (term.stop.signal.aborted) return;
    }
    this.#lose(term, 'the Lease could not be renewed in time');
  }

  #lose(term: Term, reason: string): void {
    if (this.#term !== term) return;
    this.#end(term);
    this.#log.warn({ reason }, 'this replica leads no more');
  }

  #end(term: Term): void {
    this.#term = undefined;
    this.#leading.set(0);
    term.stop.abort();
  }

  #failed({ reason, message }: KubeError): number {
    this.#errors.add(1, { reason });
    // That another was faster is how it works.
    const isTrouble = reason !== 'conflict' && reason !== 'already-exists';
    if (isTrouble && reason !== this.#lastReason) {
      this.#lastReason = reason;
      this.#log.warn({ reason: message }, 'the Lease of the leader cannot be read or written; it is tried again');
    }
    return this.#retryMs();
  }

  #retryMs(): number {
    return this.#times.retryMs * (1 + 0.2 * this.#deps.random());
  }

  /** Gives the Lease back once nothing of the leader's work runs any more; if that takes too long, the Lease just ends. */
  async #resign(): Promise<void> {
    const { clock, api } = this.#deps;
    const term = this.#term;
    if (term === undefined) return;
    const watchdog = startWatchdog(clock, Math.max(1, term.until - clock.monotonic()), new AbortController().signal);
    this.#end(term);
    try {
      await Promise.race([Promise.all(this.#working), aborted(watchdog.signal)]);
      if (watchdog.signal.aborted || this.#seen === undefined) return;
      const released = releasedLease(this.#seen.lease, clock.now());
      const written = await api.update(leaseType, released, watchdog.signal);
      if (written.ok) this.#log.info({}, 'this replica has given the lead back');
      else this.#failed(written.error);
    } finally {
      watchdog.stop();
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
