import type { PodSigner, PodSignerSource } from '../../app/pod-identities.ts';
import { PROXY_OWNER } from '../../injector/iptables.ts';
import { ChangeSignal } from '../../kit/change-signal.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeDiskTrouble } from '../disk-trouble.ts';
import type { PodPlan } from '../plan/pod-plan.ts';
import { replaceFiles } from './atomic-folder.ts';

/** Where identities of pods come from. */
export type Identities = {
  readonly signer: PodSignerSource;
  /** From 0 up to 1, so that pods do not all come at once. */
  readonly random: () => number;
};

export type PodIdentityDeps = {
  readonly identities: Identities;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
};

/** Who a pod is, for a person. */
export type IdentityReport = { readonly spiffeId: string; readonly notAfter: number };

/** A machine may sleep, and its clock be set, so what is due is looked at this often. */
const LOOK_EVERY_MS = 30_000;
const RETRY_MS = 2_000;

type Held = { readonly signer: PodSigner; readonly renewAt: number; readonly report: IdentityReport };

/**
 * The identity of one pod: keeps its files valid, from its first moment to its last. They are renewed when about half of their
 * time is over, and at once when the issuer or the roots change.
 */
export class PodIdentity {
  readonly #plan: Pick<PodPlan, 'name' | 'namespace' | 'serviceAccount'>;
  readonly #folder: string;
  readonly #deps: PodIdentityDeps;
  #held: Held | undefined;
  #trouble: string | undefined;
  #wake = new AbortController();
  readonly #first = new ChangeSignal();

  constructor(
    inputs: { readonly plan: Pick<PodPlan, 'name' | 'namespace' | 'serviceAccount'>; readonly folder: string },
    deps: PodIdentityDeps,
  ) {
    this.#plan = inputs.plan;
    this.#folder = inputs.folder;
    this.#deps = deps;
  }

  /** Undefined before the first files are there. */
  get report(): IdentityReport | undefined {
    return this.#held?.report;
  }

  /** Why the files cannot be written; those that there were are still in place. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when the first files are there, or the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#first.next(signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#deps.identities.signer.onChange(() => this.#wake.abort());
    try {
      while (!signal.aborted) {
        // Before looking, so that what changes meanwhile is looked at, too.
        this.#wake = new AbortController();
        const waitMs = await this.#keep();
        await this.#deps.clock.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal]));
      }
    } finally {
      stop();
    }
  }

  /** Renews the files if that is due. Returns when to look again. */
  async #keep(): Promise<number> {
    const { identities, clock, log, onChange } = this.#deps;
    const signer = identities.signer.current();
    if (signer === undefined) return LOOK_EVERY_MS;
    if (signer === this.#held?.signer && clock.now() < this.#held.renewAt) return this.#waitMs(this.#held);
    try {
      this.#held = await this.#issue(signer);
      this.#trouble = undefined;
      this.#first.raise();
      onChange();
      return this.#waitMs(this.#held);
    } catch (error) {
      const trouble = describeDiskTrouble(error);
      const { name, namespace } = this.#plan;
      if (this.#trouble === undefined) {
        log.error({ pod: name, namespace, error: trouble }, 'an identity cannot be made; trying again');
      }
      this.#trouble = trouble;
      onChange();
      return RETRY_MS;
    }
  }

  #waitMs({ renewAt }: Held): number {
    return Math.min(LOOK_EVERY_MS, Math.max(0, renewAt - this.#deps.clock.now()));
  }

  async #issue(signer: PodSigner): Promise<Held> {
    const { identities, clock } = this.#deps;
    const { namespace, serviceAccount } = this.#plan;
    const now = clock.now();
    const { files, spiffeId, notAfter } = signer({ namespace, serviceAccount }, now);
    if (notAfter <= now) throw new Error('the signing certificate has ended');
    const [uid = 0] = PROXY_OWNER.uids;
    const [gid = 0] = PROXY_OWNER.gids;
    await replaceFiles(this.#folder, files, { uid, gid });
    const share = 0.45 + identities.random() / 10;
    return { signer, renewAt: now + (notAfter - now) * share, report: { spiffeId, notAfter } };
  }
}
