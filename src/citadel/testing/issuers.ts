import type { Issuer, IssuerSource } from '../issuer.ts';
import { createAuthority, type KeyPair } from '../x509/authority.ts';

const DAY_MS = 86_400_000;

/** A root that lives for ten years from the time that test clocks show. */
export function testRoot(organization: string, now = 1_700_000_000_000): KeyPair {
  return createAuthority({
    subject: { organization },
    validity: { notBefore: now - DAY_MS, notAfter: now + 3_650 * DAY_MS },
  });
}

export function testIssuer(signer: KeyPair, more: Partial<Issuer> = {}): Issuer {
  return { signer, intermediates: '', roots: signer.certificate, trustDomain: 'cluster.local', ...more };
}

/** An issuer that tests replace. */
export class TestIssuers implements IssuerSource {
  #issuer: Issuer | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(issuer: Issuer | undefined) {
    this.#issuer = issuer;
  }

  current(): Issuer | undefined {
    return this.#issuer;
  }

  use(issuer: Issuer | undefined): void {
    this.#issuer = issuer;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
