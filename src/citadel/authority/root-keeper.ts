import { randomBytes, X509Certificate } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { BACKDATE_MS, createAuthority } from '../x509/authority.ts';
import { checkChain, nameOf } from './chain.ts';
import type { Candidate, Choice, Held, Taken } from './choose.ts';
import type { Evidence } from './evidence.ts';
import { type Material, type RootPair, writeMaterial } from './material.ts';
import { planRotation, type RotationTimes } from './rotation.ts';
import { ACCEPT_ANNOTATION } from './secret-store.ts';
import type { AuthorityStore, Stored, Trouble, Writing } from './store.ts';

export type RootKeeperDeps = {
  readonly own: AuthorityStore;
  readonly isLeader: () => boolean;
  readonly times: RotationTimes & { readonly rootLifetimeMs: number };
  readonly clock: Clock;
  readonly log: Logger;
};

export type Situation = {
  readonly choice: Choice;
  readonly held: Held | undefined;
  readonly candidates: readonly Candidate[];
  readonly evidence: Evidence | undefined;
  readonly trustDomain: string;
};

/** Whether something was written (by whom ever), so that it is to be read again; and what is in the way. */
export type Kept = { readonly wrote: boolean; readonly trouble: Trouble | undefined };

const nothing: Kept = { wrote: false, trouble: undefined };

/** Of roots that a person is told of: whoever owns a namespace may write as many as he likes. */
const MOST_NAMES = 4;
/** A person may be about to put it right in two steps. */
const DAMAGE_SETTLE_MS = 30_000;
/** The leader is first to restore; if it has nothing to restore from, others have. */
const FOLLOWER_DELAY_MS = 10_000;

/** Keeps a self-signed root where we keep it: makes it once, rotates it in time, and puts it back. Never makes one where there was one. */
export class RootKeeper {
  readonly #deps: RootKeeperDeps;
  #lostSince: number | undefined;

  constructor(deps: RootKeeperDeps) {
    this.#deps = deps;
  }

  async keep(situation: Situation, signal: AbortSignal): Promise<Kept> {
    const { choice, held } = situation;
    if (choice.taken !== undefined) {
      this.#lostSince = undefined;
      return await this.#rotate(choice.taken, situation, signal);
    }
    return held === undefined ? await this.#create(situation, signal) : await this.#restore(held, situation, signal);
  }

  async #rotate({ keeper, material, stored }: Taken, { trustDomain }: Situation, signal: AbortSignal): Promise<Kept> {
    const { own, isLeader, times, clock, log } = this.#deps;
    if (keeper !== 'own' || !isLeader()) return nothing;
    const step = planRotation({
      material,
      requested: stored.requests.rotate,
      now: clock.now(),
      times,
      mint: () => this.#mint(trustDomain),
    });
    if (step === undefined) return nothing;
    const written = await own.update(stored, writeMaterial(step.material), signal);
    const [signer] = step.material.chain;
    if (written.kind === 'written')
      log.info(
        { phase: step.phase, signer: nameOf(signer), roots: step.material.roots.length },
        'root rotation went on',
      );
    return keptBy(written);
  }

  async #create({ choice, candidates, evidence, trustDomain }: Situation, signal: AbortSignal): Promise<Kept> {
    const { own } = this.#deps;
    // Where something is, it was once good.
    if (choice.refusals.length > 0 || evidence === undefined) return nothing;
    const stored = storedIn(candidates);
    const isMeant = stored?.requests.accept === true;
    if (!isMeant && evidence.kind === 'unknown') return { wrote: false, trouble: evidence };
    const { published, issued } = evidence.kind === 'known' ? evidence : { published: [], issued: [] };
    if (!isMeant && published.length + issued.length > 0)
      return { wrote: false, trouble: lostTrouble(own.name, [...published, ...issued], evidence) };
    const made = this.#mint(trustDomain);
    const files = writeMaterial(materialOf(made, published));
    const written = stored === undefined ? await own.create(files, signal) : await own.update(stored, files, signal);
    if (written.kind === 'written') this.#tellMade(made);
    return keptBy(written);
  }

  async #restore(held: Held, { choice, candidates }: Situation, signal: AbortSignal): Promise<Kept> {
    const { own, clock, isLeader, log } = this.#deps;
    if (held.keeper !== 'own') return { wrote: false, trouble: goneTrouble(held, choice) };
    const [refusal] = choice.refusals.filter(({ keeper }) => keeper === 'own');
    const isLost = refusal === undefined || refusal.kind === 'damaged';
    if (!isLost || !checkChain(held.material.chain, clock.now()).ok) return nothing;
    const now = clock.monotonic();
    this.#lostSince ??= now;
    const waitMs = (refusal === undefined ? 0 : DAMAGE_SETTLE_MS) + (isLeader() ? 0 : FOLLOWER_DELAY_MS);
    const trouble = refusal === undefined ? goneTrouble(held, choice) : undefined;
    if (now < this.#lostSince + waitMs) return { wrote: false, trouble };
    const files = writeMaterial(held.material);
    const stored = storedIn(candidates);
    const written = stored === undefined ? await own.create(files, signal) : await own.update(stored, files, signal);
    if (written.kind === 'written') log.warn({ source: own.name }, 'authority was lost, and is restored from memory');
    return keptBy(written);
  }

  #tellMade({ certificate }: RootPair): void {
    const { own, log } = this.#deps;
    log.info({ source: own.name, signer: nameOf(certificate) }, 'root made');
    if (own.isLasting) return;
    const remedy = 'for one that lasts give --ca-certs-folder, or --kubernetes';
    log.info({ remedy }, 'the root is kept in memory only: with the next start there is another');
  }

  #mint(trustDomain: string): RootPair {
    const { clock, times } = this.#deps;
    const now = clock.now();
    const validity = { notBefore: now - BACKDATE_MS, notAfter: now + times.rootLifetimeMs };
    // Two of them stand beside each other in a bundle, and are told apart by their names.
    const commonName = `root ${randomBytes(4).toString('hex')}`;
    const { certificate, key } = createAuthority({ subject: { organization: trustDomain, commonName }, validity });
    return { certificate: new X509Certificate(certificate), key };
  }
}

function materialOf({ certificate, key }: RootPair, former: readonly X509Certificate[]): Material {
  const roots = [certificate, ...former];
  return { chain: [certificate], key, roots, revoked: '', next: undefined, since: undefined, request: '' };
}

function storedIn(candidates: readonly Candidate[]): Stored | undefined {
  const own = candidates.find(({ keeper }) => keeper === 'own')?.reading;
  return own?.kind === 'found' ? own.stored : undefined;
}

function keptBy(writing: Writing): Kept {
  switch (writing.kind) {
    case 'written':
    case 'overtaken':
      return { wrote: true, trouble: undefined };
    case 'failed':
      return { wrote: false, trouble: writing };
  }
}

function lostTrouble(name: string, former: readonly X509Certificate[], { kind, ...rest }: Evidence): Trouble {
  const where = kind === 'known' && 'where' in rest ? rest.where : '';
  const names = former.slice(0, MOST_NAMES).map(nameOf).join(' and ');
  return {
    reason: `there is no ${name}, but the mesh trusts ${names} (by ${where}); a new root would cut it off`,
    remedy: `restore the Secret from your copy (docs/certificates.md); if it is lost, create it empty and annotate it with ${ACCEPT_ANNOTATION}: "true", and a new root is made`,
  };
}

function goneTrouble({ name }: Held, { refusals }: Choice): Trouble | undefined {
  if (refusals.length > 0) return undefined;
  return { reason: `${name} is gone; what it held signs on from memory`, remedy: 'put it back before xebec restarts' };
}
