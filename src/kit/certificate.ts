import { createPrivateKey, X509Certificate } from 'node:crypto';

/** The first certificate of a text, or of bytes; undefined for what is none. */
export function readCertificate(text: string | Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

export function isKeyOf(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
