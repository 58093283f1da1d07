import type { X509Certificate } from 'node:crypto';
import { readCertificate } from '../../kit/certificate.ts';

const BLOCK = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** The certificates of a bundle, each once; nothing when one of them cannot be read. */
export function certificatesIn(bundle: string): readonly X509Certificate[] | undefined {
  const read = new Map<string, X509Certificate>();
  const blocks = bundle.match(BLOCK) ?? [];
  // One that was cut off is not one that is not there.
  if (blocks.length !== bundle.split('-----BEGIN ').length - 1 - otherBlocks(bundle)) return undefined;
  for (const block of blocks) {
    const certificate = readCertificate(block);
    if (certificate === undefined) return undefined;
    read.set(certificate.fingerprint256, certificate);
  }
  return [...read.values()];
}

/** Such as parameters of a key, which some tools write before it. */
function otherBlocks(bundle: string): number {
  return bundle.match(/-----BEGIN (?!(?:TRUSTED |X509 )?CERTIFICATE-----)/g)?.length ?? 0;
}

/** Each certificate once, in one spelling and one order: who wrote the bundle how says nothing. */
export function bundleOf(certificates: readonly X509Certificate[]): string {
  return [...new Set(certificates.map(pemOf))].sort().join('');
}

export function pemOf(certificate: X509Certificate): string {
  const text = certificate.toString();
  return text.endsWith('\n') ? text : `${text}\n`;
}

export function isIn(certificate: X509Certificate, bundle: readonly X509Certificate[]): boolean {
  return bundle.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256);
}

export function endOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo);
}

export function beginOf({ validFrom }: X509Certificate): number {
  return Date.parse(validFrom);
}
