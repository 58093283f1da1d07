import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { KeyPair } from '../../src/citadel/x509/authority.ts';
import { buildCertificate } from '../../src/citadel/x509/certificate.ts';

/** An authority below another one, which lives as long as that. */
export function createIntermediate(root: KeyPair, commonName: string): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = new X509Certificate(root.certificate);
  const certificate = buildCertificate(
    {
      subject: { commonName },
      names: [],
      usages: [],
      isAuthority: true,
      validity: { notBefore: Date.parse(signer.validFrom), notAfter: Date.parse(signer.validTo) },
      publicKey,
    },
    { key: createPrivateKey(root.key), certificate: signer },
  );
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
