import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { ChangeSignal } from '../../kit/change-signal.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Result } from '../../kit/result.ts';
import type { Runnable } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Issuer, IssuerSource } from '../issuer.ts';
import { BACKDATE_MS, issueLeaf } from '../x509/authority.ts';

/** What a port of TLS shows, and whose callers it takes; all PEM. */
export type Served = { readonly certificate: string; readonly key: string; readonly roots: string };

export type ServingCertificateDeps = {
  readonly issuer: IssuerSource;
  /** DNS names and addresses by which callers come. */
  readonly names: readonly string[];
  /** Serves new connections so from now on. What cannot be used changes nothing, and the error says why. */
  readonly use: (served: Served) => Result<void, string>;
  readonly clock: Clock;
  readonly log: Logger;
};

const LIFETIME_MS = 24 * 3_600_000;
/** A new one is made when so much of its life is left. */
const RENEW_SHARE = 1 / 3;
/** After something failed that nobody is to blame for. */
const AGAIN_MS = 5_000;
/** A timer cannot wait for longer than about 24 days; an issuer that is about to end must not make it spin. */
const [SHORTEST_MS, LONGEST_MS] = [1_000, LIFETIME_MS];

/**
 * Keeps a port of TLS supplied with a certificate of the mesh's own authority: renewed before it ends, and whenever the authority
 * or its roots are others.
 */
export class ServingCertificate implements Runnable {
  readonly name = 'serving certificate';
  readonly #deps: ServingCertificateDeps;
  #isServing = false;

  constructor(deps: ServingCertificateDeps) {
    this.#deps = deps;
  }

  /** Whether anybody can connect. */
  get isServing(): boolean {
    return this.#isServing;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { issuer, clock } = this.#deps;
    const changes = new ChangeSignal();
    const stop = issuer.onChange(() => changes.raise());
    while (!signal.aborted) {
      const current = issuer.current();
      const waitMs = current === undefined ? undefined : this.#renew(current);
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      const waiting = [changes.next(either)];
      if (waitMs !== undefined) waiting.push(clock.sleep(waitMs, either).then(() => true));
      await Promise.race(waiting);
      over.abort();
      await Promise.all(waiting);
    }
    stop();
  }

  /** Answers in how long to come again. */
  #renew(issuer: Issuer): number {
    const { names, use, clock, log } = this.#deps;
    const now = clock.now();
    const result = attempt(() => use(makeServed(issuer, names, now)));
    if (!result.ok) {
      log.error({ error: result.error, againInMs: AGAIN_MS }, 'cannot serve with a certificate of the mesh');
      return AGAIN_MS;
    }
    const notAfter = Math.min(now + LIFETIME_MS, endOf(issuer));
    if (!this.#isServing)
      log.info({ names, until: new Date(notAfter).toISOString() }, 'serving with a certificate of the mesh');
    this.#isServing = true;
    return Math.min(Math.max((notAfter - now) * (1 - RENEW_SHARE), SHORTEST_MS), LONGEST_MS);
  }
}

/** The names by which proxies know their control plane: Istio's, so that its bootstraps find it, and its own Service's. */
export function servingNames(service: string, namespace: string, others: readonly string[]): readonly string[] {
  const services = [...new Set([service, 'istiod', 'istio-pilot', 'istio-ca', 'istio-citadel'])];
  const own = services.flatMap((name) => [`${name}.${namespace}.svc`, `${name}.${namespace}`]);
  return [...new Set([...own, 'istio-ca', 'istio-citadel', ...others])];
}

/** Of this mesh is whom one of its own roots vouches for: another mesh, whose workloads are believed, may name its own as it likes. */
function makeServed(issuer: Issuer, names: readonly string[], now: number): Served {
  const { signer, intermediates, roots, ownRoots = roots } = issuer;
  const leaf = issueLeaf(signer, {
    subject: {},
    names: names.map((value) => ({ kind: isIP(value) === 0 ? 'dns' : 'ip', value })),
    usages: ['server'],
    validity: { notBefore: now - BACKDATE_MS, notAfter: now + LIFETIME_MS },
  });
  return { certificate: leaf.certificate + intermediates, key: leaf.key, roots: ownRoots };
}

function endOf({ signer }: Issuer): number {
  return Date.parse(new X509Certificate(signer.certificate).validTo);
}

function attempt(action: () => Result<void, string>): Result<void, string> {
  try {
    return action();
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
