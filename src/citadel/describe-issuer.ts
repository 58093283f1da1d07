import type { X509Certificate } from 'node:crypto';
import { certificatesIn } from './authority/pem.ts';
import type { Issuer } from './issuer.ts';

/** What a person may see of an issuer: nothing of its key. */
export function describeIssuer(issuer: Issuer | undefined, problem: string | undefined): unknown {
  if (issuer === undefined) return { problem: problem ?? 'there is no authority yet' };
  const { trustDomain, signer, intermediates, roots } = issuer;
  const describe = (pem: string): readonly unknown[] => (certificatesIn(pem) ?? []).map(describeCertificate);
  const [signing] = describe(signer.certificate);
  return { problem, trustDomain, signer: signing, chain: describe(intermediates).slice(1), roots: describe(roots) };
}

function describeCertificate({ subject, serialNumber, validFrom, validTo, fingerprint256 }: X509Certificate): unknown {
  return {
    subject: subject?.replaceAll('\n', ', '),
    serialNumber,
    notBefore: new Date(validFrom).toISOString(),
    notAfter: new Date(validTo).toISOString(),
    sha256: fingerprint256,
  };
}
