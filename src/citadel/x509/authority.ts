import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { buildCertificate, type Validity } from './certificate.ts';
import type { Usage } from './extensions.ts';
import type { AlternativeName, Subject } from './names.ts';

/** A certificate and its key, as PEM. */
export type KeyPair = { readonly certificate: string; readonly key: string };

/** Clocks differ: whoever is up to so far behind takes a new certificate for valid. */
export const BACKDATE_MS = 120_000;

export type AuthorityRequest = { readonly subject: Subject; readonly validity: Validity };

/** A new authority of its own, with a P-256 key. */
export function createAuthority({ subject, validity }: AuthorityRequest): KeyPair {
  const { publicKey, privateKey } = newKeys();
  const fields = { subject, names: [], usages: [], isAuthority: true, validity, publicKey };
  const certificate = buildCertificate(fields, { key: privateKey, certificate: undefined });
  return { certificate, key: exportKey(privateKey) };
}

export type LeafRequest = {
  readonly subject: Subject;
  readonly names: readonly AlternativeName[];
  readonly usages: readonly Usage[];
  readonly validity: Validity;
};

/** A certificate for a new P-256 key, signed by an authority, which it never outlives. */
export function issueLeaf(authority: KeyPair, { subject, names, usages, validity }: LeafRequest): KeyPair {
  const { publicKey, privateKey } = newKeys();
  const issuer = new X509Certificate(authority.certificate);
  const notAfter = Math.min(validity.notAfter, Date.parse(issuer.validTo));
  const certificate = buildCertificate(
    { subject, names, usages, isAuthority: false, validity: { ...validity, notAfter }, publicKey },
    { key: createPrivateKey(authority.key), certificate: issuer },
  );
  return { certificate, key: exportKey(privateKey) };
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
