import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { type Identity, spiffeId } from '../model/identity.ts';
import { BACKDATE_MS, type KeyPair } from './x509/authority.ts';
import { buildCertificate } from './x509/certificate.ts';

/** What signs identities, and what everybody must trust. Replaced as a whole, never changed. */
export type Issuer = {
  /** The certificate that signs, as PEM, and its key. */
  readonly signer: KeyPair;
  /** From the signer up to, but without, its root, as PEM; empty when the signer is a root itself. */
  readonly intermediates: string;
  /** All roots that the mesh trusts, as PEM. */
  readonly roots: string;
  readonly trustDomain: string;
  /** Lists of certificates that were revoked, as PEM, where somebody keeps one. */
  readonly revoked?: string;
};

/** Who has the issuer. It is undefined until one was read or made, and a new one comes by `onChange`. */
export interface IssuerSource {
  current(): Issuer | undefined;
  /** Returns how to stop. */
  onChange(listener: () => void): () => void;
}

export type IdentityRequest = {
  readonly identity: Pick<Identity, 'namespace' | 'serviceAccount'>;
  /** The key to certify; without one a new P-256 key is made. */
  readonly publicKey?: KeyObject;
  readonly now: number;
  readonly lifetimeMs: number;
};

/** What a workload needs to prove who it is. */
export type IssuedIdentity = {
  /** The leaf, then the chain without the root, as PEM. */
  readonly chain: string;
  /** PKCS#8 PEM; undefined where the key was the caller's. */
  readonly key: string | undefined;
  readonly roots: string;
  readonly notBefore: number;
  readonly notAfter: number;
};

/** A certificate for one identity. It never outlives its issuer. */
export function issueIdentity(issuer: Issuer, request: IdentityRequest): IssuedIdentity {
  const made = request.publicKey === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : undefined;
  const publicKey = request.publicKey ?? made?.publicKey;
  if (publicKey === undefined) throw new Error('no key to certify');
  const signer = new X509Certificate(issuer.signer.certificate);
  const notBefore = Math.max(request.now - BACKDATE_MS, Date.parse(signer.validFrom));
  const notAfter = Math.min(request.now + request.lifetimeMs, Date.parse(signer.validTo));
  const leaf = buildCertificate(
    {
      subject: {},
      names: [{ kind: 'uri', value: spiffeId({ trustDomain: issuer.trustDomain, ...request.identity }) }],
      usages: ['server', 'client'],
      isAuthority: false,
      validity: { notBefore, notAfter },
      publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
    },
    { key: createPrivateKey(issuer.signer.key), certificate: signer },
  );
  const key = made?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { chain: leaf + issuer.intermediates, key, roots: issuer.roots, notBefore, notAfter };
}
