/**
 * Gives every service account of a managed namespace its identity, as a Secret that its pods mount, and keeps it: renewed in time,
 * put right when it was changed or deleted, removed with its account. Promises that only the leader writes, that no Secret of
 * somebody else is touched, and that what is right is not written. Must never know where certificates are used.
 */
import type { Clock } from '../../kit/clock.ts';
import { type Runnable, runAll } from '../../kit/run-group.ts';
import { Turn } from '../../kit/turn.ts';
import { WorkQueue } from '../../kit/work-queue.ts';
import type { EventRecorder, KubeApi, Leadership } from '../../kube/api.ts';
import { backoffMs } from '../../kube/backoff.ts';
import type { Reflect } from '../../kube/reflection.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { IssuerSource } from '../issuer.ts';
import { AccountTroubles } from './account-troubles.ts';
import { Breaker } from './breaker.ts';
import { SecretCopies } from './secret-copies.ts';
import { SecretKeeper, type SecretRules } from './secret-keeper.ts';
import { SecretMetrics } from './secret-metrics.ts';
import { readAuthority, type SigningAuthority } from './signing-authority.ts';
import { WritePace } from './write-pace.ts';

export type SecretControllerDeps = {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'update' | 'delete'>;
  readonly reflect: Reflect;
  readonly leadership: Pick<Leadership, 'whileLeading'>;
  readonly events: EventRecorder;
  readonly issuers: IssuerSource;
  readonly rules: SecretRules;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** Writes in flight. */
const CONCURRENCY = 16;
const retryTimes = { firstMs: 250, maxMs: 120_000 };
const PROGRESS_MS = 15_000;
/** So many that wait are worth a line. */
const MANY = 200;

export class SecretController implements Runnable {
  readonly name = 'secret controller';
  readonly #deps: SecretControllerDeps;
  readonly #metrics: SecretMetrics;

  constructor(deps: SecretControllerDeps) {
    this.#deps = deps;
    this.#metrics = new SecretMetrics(deps.metrics);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#deps.leadership.whileLeading((stop) => this.#lead(stop), signal);
  }

  /** Everything is learnt anew by whoever begins to lead. */
  async #lead(signal: AbortSignal): Promise<void> {
    const term = new Term(this.#deps, this.#metrics);
    try {
      await term.run(signal);
    } finally {
      this.#metrics.backlog(0, 0);
    }
  }
}

/** One time of leading. */
class Term {
  readonly #deps: SecretControllerDeps;
  readonly #metrics: SecretMetrics;
  readonly #copies: SecretCopies;
  readonly #keeper: SecretKeeper;
  readonly #queue: WorkQueue<string>;
  #authority: SigningAuthority | undefined;

  constructor(deps: SecretControllerDeps, metrics: SecretMetrics) {
    const { clock, random, log, events, rules, kube } = deps;
    const turn = new Turn(clock);
    this.#deps = deps;
    this.#metrics = metrics;
    this.#copies = new SecretCopies({
      reflect: deps.reflect,
      listened: rules.listened,
      touch: (key) => this.#touch(key),
      onSynced: () => this.#touchAll(),
      log,
    });
    this.#keeper = new SecretKeeper({
      kube,
      copies: this.#copies,
      authority: () => this.#authority,
      rules,
      pace: new WritePace(clock),
      breaker: new Breaker(clock, random, log),
      troubles: new AccountTroubles(events, log),
      metrics,
      share: () => turn.share(),
      clock,
      log,
    });
    this.#queue = new WorkQueue({
      name: 'reconciler of identities',
      clock,
      concurrency: CONCURRENCY,
      work: async (key, signal) => {
        await turn.share();
        return await this.#keeper.reconcile(key, signal);
      },
      onThrow: (key, error) =>
        log.error({ account: key, error }, 'an identity could not be looked at; it is tried again'),
      pauseMs: (failures) => backoffMs(failures, retryTimes, random),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const reflections = this.#copies.reflections();
    const stopListening = this.#deps.issuers.onChange(() => this.#useIssuer());
    this.#useIssuer();
    try {
      const progress = { name: 'progress of identities', run: (stop: AbortSignal) => this.#tellProgress(stop) };
      await runAll([...reflections, this.#queue, progress], signal);
    } finally {
      stopListening();
    }
  }

  #useIssuer(): void {
    const issuer = this.#deps.issuers.current();
    const before = this.#authority?.fingerprint;
    try {
      this.#authority = issuer === undefined ? undefined : readAuthority(issuer);
    } catch (error) {
      this.#authority = undefined;
      this.#deps.log.error({ error }, 'the signing certificate cannot be read; nobody gets an identity');
    }
    if (this.#authority !== undefined && this.#authority.fingerprint !== before) this.#touchAll();
  }

  #touchAll(): void {
    if (!this.#copies.isSynced) return;
    for (const key of this.#copies.keys()) this.#touch(key);
  }

  /** Whoever has no identity at all comes before those who have one. */
  #touch(key: string): void {
    this.#queue.add(key, this.#copies.held(key) === undefined ? 'first' : 'in turn');
  }

  async #tellProgress(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    let wasMany = false;
    while (!signal.aborted) {
      const { backlog: waiting, failing } = this.#queue;
      this.#metrics.backlog(waiting, failing);
      const isMany = waiting >= MANY;
      const accounts = this.#copies.accounts.size;
      if (isMany) log.info({ accounts, waiting, failing }, 'identities are being looked at');
      else if (wasMany) log.info({ accounts, waiting, failing }, 'identities were looked at');
      wasMany = isMany;
      await clock.sleep(PROGRESS_MS, signal);
    }
  }
}
