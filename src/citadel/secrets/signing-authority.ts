import { createHash, X509Certificate } from 'node:crypto';
import type { Issuer } from '../issuer.ts';

/** An issuer, and of it what every judgement needs, read once. */
export type SigningAuthority = {
  readonly issuer: Issuer;
  readonly certificate: X509Certificate;
  /** The same for issuers that issue the same; nothing of the key is in it. */
  readonly fingerprint: string;
};

export function readAuthority(issuer: Issuer): SigningAuthority {
  const { signer, intermediates, roots, trustDomain } = issuer;
  const text = JSON.stringify([signer.certificate, intermediates, roots, trustDomain]);
  return {
    issuer,
    certificate: new X509Certificate(signer.certificate),
    fingerprint: createHash('sha256').update(text).digest('base64'),
  };
}
