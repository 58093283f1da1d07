import { X509Certificate } from 'node:crypto';
import { isKeyOf, readCertificate } from '../kit/certificate.ts';
import { err, ok, type Result } from '../kit/result.ts';

/** A certificate chain with its key, and the authorities that whoever connects must trust: all PEM. */
export type ServingPair = { readonly certificate: string; readonly key: string; readonly roots: string };

/** What decides what is to be done about a pair. Milliseconds since the epoch. */
export type PairLife = { readonly notBefore: number; readonly notAfter: number };

export type PairRules = { readonly dnsNames: readonly string[]; readonly now: number };

/**
 * Whether a pair can serve: its key is that of its certificate, one of its roots signed it, it is for all names, and it is valid.
 * The error says in what it fails; it never holds a part of the key.
 */
export function inspectPair(
  { certificate, key, roots }: ServingPair,
  { dnsNames, now }: PairRules,
): Result<PairLife, string> {
  const leaf = readCertificate(certificate);
  if (leaf === undefined) return err('the certificate cannot be read');
  if (!isKeyOf(leaf, key)) return err('the key is not that of the certificate');
  if (rootOf(leaf, roots) === undefined) return err('no authority of it signed the certificate');
  const missing = dnsNames.filter((name) => leaf.checkHost(name) === undefined);
  if (missing.length > 0) return err(`the certificate is not for ${missing.join(', ')}`);
  const life = { notBefore: Date.parse(leaf.validFrom), notAfter: Date.parse(leaf.validTo) };
  if (now >= life.notAfter) return err(`the certificate ended at ${new Date(life.notAfter).toISOString()}`);
  return ok(life);
}

/** The authority in a bundle that signed a certificate, as PEM. */
export function rootIn(certificate: string, bundle: string): string | undefined {
  const leaf = readCertificate(certificate);
  return leaf === undefined ? undefined : rootOf(leaf, bundle);
}

/** The certificates of a bundle that can be read, each once and in one spelling. */
export function certificatesIn(bundle: string): readonly string[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const read = blocks.map((block) => readCertificate(block)?.toString()).filter((text) => text !== undefined);
  return [...new Set(read)];
}

function rootOf(leaf: X509Certificate, bundle: string): string | undefined {
  return certificatesIn(bundle).find((text) => {
    const root = new X509Certificate(text);
    return root.ca && leaf.checkIssued(root) && leaf.verify(root.publicKey);
  });
}
