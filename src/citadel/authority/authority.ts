import type { Clock } from '../../kit/clock.ts';
import type { Runnable } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Issuer, IssuerSource } from '../issuer.ts';
import { createAuthority } from '../x509/authority.ts';
import { type TrustDomainSource, trustDomainOf } from './trust-domain.ts';

export type AuthorityDeps = {
  readonly trustDomain: TrustDomainSource;
  readonly rootLifetimeMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** The authority of the mesh. */
export class Authority implements Runnable, IssuerSource {
  readonly name = 'authority';
  readonly #deps: AuthorityDeps;
  readonly #listeners = new Set<() => void>();
  #issuer: Issuer | undefined;

  constructor(deps: AuthorityDeps) {
    this.#deps = deps;
  }

  current(): Issuer | undefined {
    return this.#issuer;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  problem(): string | undefined {
    return undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#deps.trustDomain.onChange(() => this.#follow());
    this.#follow();
    await this.#deps.clock.sleep(2_147_483_647, signal);
    stop();
  }

  #follow(): void {
    const { trustDomain: source, clock, rootLifetimeMs } = this.#deps;
    const trustDomain = trustDomainOf(source.current() ?? '');
    if (trustDomain === undefined || source.current() === undefined || this.#issuer?.trustDomain === trustDomain)
      return;
    const validity = { notBefore: clock.now(), notAfter: clock.now() + rootLifetimeMs };
    const signer = this.#issuer?.signer ?? createAuthority({ subject: { organization: trustDomain }, validity });
    this.#issuer = { signer, intermediates: '', roots: signer.certificate, trustDomain };
    for (const listener of this.#listeners) listener();
  }
}
