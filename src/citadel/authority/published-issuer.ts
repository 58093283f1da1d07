import type { X509Certificate } from 'node:crypto';
import type { Issuer, IssuerSource } from '../issuer.ts';
import type { Material } from './material.ts';
import { bundleOf, isIn, pemOf } from './pem.ts';

export type IssuerParts = {
  readonly material: Material;
  /** Of what is to sign next. */
  readonly nextRoots: readonly X509Certificate[];
  /** Of other meshes. */
  readonly foreignRoots: readonly X509Certificate[];
  readonly trustDomain: string;
};

/** The issuer that everybody sees: another object only when it says something else. */
export class PublishedIssuer implements IssuerSource {
  readonly #listeners = new Set<() => void>();
  #issuer: Issuer | undefined;

  current(): Issuer | undefined {
    return this.#issuer;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(parts: IssuerParts): void {
    const issuer = issuerOf(parts);
    if (JSON.stringify(issuer) === JSON.stringify(this.#issuer)) return;
    this.#issuer = issuer;
    for (const listener of this.#listeners) listener();
  }
}

function issuerOf({ material, nextRoots, foreignRoots, trustDomain }: IssuerParts): Issuer {
  const { chain, key, revoked } = material;
  const ownRoots = [...material.roots, ...nextRoots];
  return {
    signer: { certificate: pemOf(chain[0]), key },
    intermediates: chain
      .filter((certificate) => !isIn(certificate, material.roots))
      .map(pemOf)
      .join(''),
    roots: bundleOf([...ownRoots, ...foreignRoots]),
    trustDomain,
    ...(foreignRoots.length === 0 ? {} : { ownRoots: bundleOf(ownRoots) }),
    ...(revoked === '' ? {} : { revoked }),
  };
}
