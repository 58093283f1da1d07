import { randomBytes } from 'node:crypto';
import { BACKDATE_MS, createAuthority, issueLeaf, type KeyPair } from './x509/authority.ts';

/** A pair that serves, and the authority that whoever connects must trust. */
export type ServingPair = KeyPair & { readonly roots: string };

export type ServingPairRequest = {
  readonly dnsNames: readonly string[];
  readonly now: number;
  readonly lifetimeMs: number;
};

/** Whole seconds are what a certificate can say: an authority made in the same one must not end before its leaf. */
const SECOND_MS = 1_000;

/**
 * A serving pair with an authority of its own. The authority signs this once, and its key is gone before this returns: nobody
 * can ever sign another certificate that those who trust it would accept.
 */
export function makeServingPair({ dnsNames, now, lifetimeMs }: ServingPairRequest): ServingPair {
  const notBefore = Math.floor((now - BACKDATE_MS) / SECOND_MS) * SECOND_MS;
  const validity = { notBefore, notAfter: notBefore + BACKDATE_MS + lifetimeMs };
  const organization = 'xebec';
  // Several stand beside each other in a bundle, and are told apart by their names.
  const commonName = `xebec webhook authority ${randomBytes(4).toString('hex')}`;
  const authority = createAuthority({ subject: { organization, commonName }, validity });
  const leaf = issueLeaf(authority, {
    // Names of services are longer than the 64 characters that a common name may have.
    subject: { organization },
    names: dnsNames.map((value) => ({ kind: 'dns', value })),
    usages: ['server'],
    validity,
  });
  return { ...leaf, roots: authority.certificate };
}
