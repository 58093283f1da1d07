import { err, ok, type Result } from '../../kit/result.ts';
import type { Identity } from '../../model/identity.ts';
import { type Issuer, issueIdentity } from '../issuer.ts';
import { readCertificateRequest } from '../x509/certificate-request.ts';

/** One certificate to be made: the request gives the key, the caller's credential gave the identity. */
export type SigningJob = {
  readonly csr: string;
  readonly identity: Pick<Identity, 'namespace' | 'serviceAccount'>;
  readonly lifetimeMs: number;
  readonly now: number;
};

export type Signed = { readonly leaf: string; readonly notAfter: number };

/** Why not, when it is the caller's fault. */
export function signRequest(issuer: Issuer, { csr, identity, lifetimeMs, now }: SigningJob): Result<Signed, string> {
  const request = readCertificateRequest(csr);
  if (!request.ok) return err(request.error);
  const { publicKey } = request.value;
  const { leaf, notAfter } = issueIdentity(issuer, { identity, publicKey, now, lifetimeMs });
  return ok({ leaf, notAfter });
}
