import type { X509Certificate } from 'node:crypto';
import { ChangeSignal } from '../../kit/change-signal.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Runnable, runAll } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Issuer, IssuerSource } from '../issuer.ts';
import { AuthorityMetrics } from './authority-metrics.ts';
import { type Candidate, chooseAuthority, type Held, type Keeper } from './choose.ts';
import type { Evidence, FindEvidence } from './evidence.ts';
import { Handover } from './handover.ts';
import { PublishedIssuer } from './published-issuer.ts';
import type { RootFile } from './root-file.ts';
import { type Kept, RootKeeper, type Situation } from './root-keeper.ts';
import type { AuthoritySource, AuthorityStore, Trouble } from './store.ts';
import { TroubleLog } from './trouble-log.ts';
import type { TrustDomainSource } from './trust-domain.ts';

export type AuthorityTimes = {
  readonly rootLifetimeMs: number;
  /** How long everybody is told of a new root before it signs. */
  readonly announceMs: number;
  /** No leaf lives longer. */
  readonly longestLeafMs: number;
  /** How often everything is read again, though nobody said that it changed. */
  readonly pollMs?: number;
};

export type AuthorityDeps = {
  /** What somebody else keeps, and which comes first. */
  readonly plugged: AuthoritySource | undefined;
  /** What xebec keeps itself; without it no root is made. */
  readonly own: AuthorityStore | undefined;
  /** Whether this process does that. Who does not only reads it. */
  readonly keeps: boolean;
  readonly evidence: FindEvidence;
  readonly rootFile: RootFile | undefined;
  readonly trustDomain: TrustDomainSource;
  /** Whether this is the one replica that writes. */
  readonly isLeader: () => boolean;
  readonly times: AuthorityTimes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** A phase of a rotation that is short is not to be overslept. */
const MOST_POLL_MS = 10_000;
const LEAST_POLL_MS = 200;
/** What was written, or what somebody else wrote meanwhile, is read at once, but not in a tight circle. */
const SOON_MS = 200;

/**
 * The authority of the mesh: what signs, and what everybody trusts. Each replica reads it; the leader writes what has to be written.
 * What signs now signs on, whatever becomes of where it is kept.
 */
export class Authority implements Runnable, IssuerSource {
  readonly name = 'authority';
  readonly #deps: AuthorityDeps;
  readonly #changes = new ChangeSignal();
  readonly #issuer = new PublishedIssuer();
  readonly #handover: Handover;
  readonly #keeper: RootKeeper | undefined;
  readonly #troubles: TroubleLog;
  readonly #metrics: AuthorityMetrics;

  constructor(deps: AuthorityDeps) {
    const { own, keeps, clock, times, log } = deps;
    this.#deps = deps;
    this.#handover = new Handover(clock, times.announceMs, log);
    this.#keeper = keeps && own !== undefined ? new RootKeeper({ ...deps, own }) : undefined;
    this.#troubles = new TroubleLog(log);
    this.#metrics = new AuthorityMetrics(deps.metrics);
  }

  current(): Issuer | undefined {
    return this.#issuer.current();
  }

  onChange(listener: () => void): () => void {
    return this.#issuer.onChange(listener);
  }

  /** Why nobody signs, or why what signs is not what its store says. Nothing while all is well. */
  problem(): string | undefined {
    return this.#troubles.text;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { plugged, own, trustDomain } = this.#deps;
    const raise = (): void => this.#changes.raise();
    let domain = trustDomain.current();
    // Of all that moves in the mesh only this concerns us.
    const stop = trustDomain.onChange(() => {
      if (trustDomain.current() === domain) return;
      domain = trustDomain.current();
      raise();
    });
    const sources = [plugged, own].filter((source) => source !== undefined);
    const watches = sources.map((source) => ({
      name: source.name,
      run: (end: AbortSignal) => source.watch(raise, end),
    }));
    const parts = [{ name: 'reconciling', run: (end: AbortSignal) => this.#reconcileAll(end) }, ...watches];
    await runAll([...parts, { name: 'polling', run: (end) => this.#poll(end) }], signal);
    stop();
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { announceMs, pollMs = Math.max(LEAST_POLL_MS, Math.min(MOST_POLL_MS, announceMs / 4)) } = this.#deps.times;
    while (!signal.aborted) {
      this.#changes.raise();
      await this.#deps.clock.sleep(pollMs, signal);
    }
  }

  async #reconcileAll(signal: AbortSignal): Promise<void> {
    const { trustDomain, clock } = this.#deps;
    while (await this.#changes.next(signal)) {
      const domain = trustDomain.current();
      // A root carries its name, and no identity is without one.
      if (domain === undefined) continue;
      const wrote = await this.#reconcile(domain, signal);
      if (!wrote) continue;
      await clock.sleep(SOON_MS, signal);
      this.#changes.raise();
    }
  }

  /** Resolves to whether something was written, by whom ever. */
  async #reconcile(trustDomain: string, signal: AbortSignal): Promise<boolean> {
    const { clock, rootFile } = this.#deps;
    const fileTrouble = await rootFile?.load();
    const candidates = await this.#candidates(signal);
    const heldBefore = this.#handover.held;
    const evidence = heldBefore === undefined ? await this.#deps.evidence(signal) : undefined;
    if (signal.aborted) return false;
    const trusted = trustedBy(heldBefore, evidence);
    const choice = chooseAuthority({ candidates, trusted, heldBy: heldBefore?.keeper, now: clock.now() });
    if (choice.taken !== undefined) this.#handover.take(choice.taken);
    const { held } = this.#handover;
    const kept = await this.#keep({ choice, held, candidates, evidence, trustDomain }, signal);
    this.#tell([fileTrouble, ...choice.refusals, kept.trouble].filter((each) => each !== undefined));
    this.#publish(trustDomain);
    return kept.wrote;
  }

  async #candidates(signal: AbortSignal): Promise<readonly Candidate[]> {
    const { plugged, own } = this.#deps;
    const read = async (keeper: Keeper, source: AuthoritySource | undefined): Promise<readonly Candidate[]> =>
      source === undefined ? [] : [{ keeper, name: source.name, reading: await source.read(signal) }];
    return (await Promise.all([read('plugged', plugged), read('own', own)])).flat();
  }

  async #keep(situation: Situation, signal: AbortSignal): Promise<Kept> {
    if (this.#keeper !== undefined) return await this.#keeper.keep(situation, signal);
    const isMissing = situation.choice.taken === undefined && situation.choice.refusals.length === 0;
    return { wrote: false, trouble: isMissing ? this.#missing() : undefined };
  }

  #missing(): Trouble {
    const { plugged, own } = this.#deps;
    const name = plugged?.name ?? 'authority';
    if (own !== undefined) {
      return {
        reason: `there is no ${name}, and no ${own.name} yet`,
        remedy: 'run a xebec with the controller citadel in this namespace: it makes one',
      };
    }
    return {
      reason: `there is no certificate in the ${name}`,
      remedy: 'put ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem there',
    };
  }

  #tell(troubles: readonly Trouble[]): void {
    const { held } = this.#handover;
    this.#troubles.set(troubles, held !== undefined);
    this.#metrics.show(held?.material, this.#deps.clock.now());
    this.#metrics.showDegraded(troubles.length > 0);
  }

  #publish(trustDomain: string): void {
    const { held, nextRoots } = this.#handover;
    if (held === undefined) return;
    const foreignRoots = this.#deps.rootFile?.roots ?? [];
    this.#issuer.publish({ material: held.material, nextRoots, foreignRoots, trustDomain });
  }
}

/** What the mesh must go on trusting. */
function trustedBy(held: Held | undefined, evidence: Evidence | undefined): readonly X509Certificate[] {
  if (held !== undefined) return held.material.roots;
  return evidence?.kind === 'known' ? evidence.published : [];
}
