import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { memoByIdentity } from '../kit/memo.ts';
import { type Identity, parseSpiffeId, spiffeId } from '../model/identity.ts';
import { BACKDATE_MS, type KeyPair } from './x509/authority.ts';
import { buildCertificate, type Signer, type Validity } from './x509/certificate.ts';

/** What signs identities, and what everybody must trust. Replaced as a whole, never changed. */
export type Issuer = {
  /** The certificate that signs, as PEM, and its key. */
  readonly signer: KeyPair;
  /** From the signer up to, but without, its root, as PEM; empty when the signer is a root itself. */
  readonly intermediates: string;
  /** All roots that the mesh trusts, as PEM. */
  readonly roots: string;
  /** Those of them that vouch for this mesh's own workloads, where the mesh trusts others too. */
  readonly ownRoots?: string;
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
  /** The certificate alone, as PEM. */
  readonly leaf: string;
  /** The leaf, then the chain without the root, as PEM. */
  readonly chain: string;
  /** PKCS#8 PEM; undefined where the key was the caller's. */
  readonly key: string | undefined;
  readonly roots: string;
  readonly notBefore: number;
  readonly notAfter: number;
};

/** A certificate for one identity. It never outlives its issuer. Throws for an identity that cannot be named. */
export function issueIdentity(issuer: Issuer, request: IdentityRequest): IssuedIdentity {
  const made = request.publicKey === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : undefined;
  const publicKey = request.publicKey ?? made?.publicKey;
  if (publicKey === undefined) throw new Error('no key to certify');
  const { signer, life } = openIssuer(issuer);
  const notBefore = Math.max(request.now - BACKDATE_MS, life.notBefore);
  const notAfter = Math.min(request.now + request.lifetimeMs, life.notAfter);
  const leaf = buildCertificate(
    {
      subject: {},
      names: [{ kind: 'uri', value: nameOf({ trustDomain: issuer.trustDomain, ...request.identity }) }],
      usages: ['server', 'client'],
      isAuthority: false,
      validity: { notBefore, notAfter },
      publicKey,
    },
    signer,
  );
  const key = made?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { leaf, chain: leaf + issuer.intermediates, key, roots: issuer.roots, notBefore, notAfter };
}

type OpenIssuer = { readonly signer: Signer; readonly life: Validity };

/** Reading a key costs more than signing with it. */
const openIssuer = memoByIdentity(({ signer, intermediates }: Issuer): OpenIssuer => {
  const certificate = new X509Certificate(signer.certificate);
  const above = intermediates.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [];
  const chain = [certificate, ...above.map((text) => new X509Certificate(text))];
  return {
    signer: { key: createPrivateKey(signer.key), certificate },
    life: {
      notBefore: Date.parse(certificate.validFrom),
      // A leaf is dead when the first of its chain is.
      notAfter: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    },
  };
});

/** What is signed must be what whoever reads it takes it for. */
function nameOf(identity: Identity): string {
  const name = spiffeId(identity);
  if (parseSpiffeId(name) === undefined) throw new Error(`${name} is no identity`);
  return name;
}
