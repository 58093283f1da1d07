import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import type { AuthorityFiles } from '../authority/files.ts';
import { buildCertificate } from '../x509/certificate.ts';
import { DAY_MS } from './replica.ts';

export type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** An authority of somebody else, who issues others. */
export type Party = { readonly certificate: string; readonly key: string };

export type PartyOptions = {
  readonly keys?: Keys;
  readonly isAuthority?: boolean;
  readonly notBefore?: number;
  readonly notAfter?: number;
};

function curveKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Makes a party whose certificate is signed by another, or by itself. */
export function party(name: string, now: number, issuer?: Party, options: PartyOptions = {}): Party {
  const { keys = curveKeys(), isAuthority = true, notBefore = now - DAY_MS, notAfter = now + 1_000 * DAY_MS } = options;
  const certificate = buildCertificate(
    {
      subject: { organization: 'somebody', commonName: name },
      names: [],
      usages: [],
      isAuthority,
      validity: { notBefore, notAfter },
      publicKey: keys.publicKey,
    },
    issuer === undefined
      ? { key: keys.privateKey, certificate: undefined }
      : { key: createPrivateKey(issuer.key), certificate: new X509Certificate(issuer.certificate) },
  );
  return { certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** The files of a signing certificate, as `cacerts` has them. */
export function pluggedFiles(signer: Party, chain: readonly Party[], roots: readonly Party[]): AuthorityFiles {
  const text = (parties: readonly Party[]): string => parties.map(({ certificate }) => certificate).join('');
  return {
    'ca-cert.pem': signer.certificate,
    'ca-key.pem': signer.key,
    'cert-chain.pem': text(chain),
    'root-cert.pem': text(roots),
  };
}
