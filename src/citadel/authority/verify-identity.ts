import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '../../kit/result.ts';
import { type Identity, parseSpiffeId } from '../../model/identity.ts';
import {
  CLIENT_PURPOSE,
  maySignCertificates,
  maySignLists,
  type ReadExtensions,
  readCertificateExtensions,
} from '../x509/read-extensions.ts';

export type PeerRules = {
  /** The mesh's own, then its aliases. */
  readonly trustDomains: readonly string[];
  readonly now: number;
};

/**
 * Who a peer is, by its leaf certificate (DER), whose chain TLS has verified: the rules of an X.509-SVID. The error says why it
 * is nobody.
 */
export function readPeerIdentity(certificate: Buffer, { trustDomains, now }: PeerRules): Result<Identity, string> {
  const life = readLife(certificate);
  if (life === undefined) return err('the certificate cannot be read');
  if (now < life.notBefore)
    return err(`the certificate begins at ${timeText(life.notBefore)}; it is ${timeText(now)} here`);
  if (now >= life.notAfter)
    return err(`the certificate ended at ${timeText(life.notAfter)}; it is ${timeText(now)} here`);
  const extensions = readCertificateExtensions(certificate);
  if (!extensions.ok) return extensions;
  const fault = leafFault(extensions.value);
  return fault === undefined ? readIdentity(extensions.value, trustDomains) : err(fault);
}

type Life = { readonly notBefore: number; readonly notAfter: number };

function readLife(certificate: Buffer): Life | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(certificate);
    const life = { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
    return Number.isNaN(life.notBefore + life.notAfter) ? undefined : life;
  } catch {
    return undefined;
  }
}

/** Whoever may sign could make itself anybody: an authority is no workload. */
function leafFault(extensions: ReadExtensions): string | undefined {
  const { isAuthority, purposes } = extensions;
  if (isAuthority) return 'the certificate is that of an authority';
  if (maySignCertificates(extensions) || maySignLists(extensions)) return 'the certificate may sign others';
  if (purposes !== undefined && !purposes.includes(CLIENT_PURPOSE)) return 'the certificate is not for clients';
  return undefined;
}

function readIdentity({ names }: ReadExtensions, trustDomains: readonly string[]): Result<Identity, string> {
  const [uri, ...others] = names.filter(({ kind }) => kind === 'uri');
  if (uri === undefined) return err('the certificate has no URI that says who it is of');
  if (others.length > 0) return err('the certificate has more than one URI');
  // Bytes that are no ASCII are nobody's name, however they would read as letters.
  const identity = parseSpiffeId(uri.bytes.toString('latin1'));
  if (identity === undefined)
    return err('the URI of the certificate is not spiffe://<domain>/ns/<namespace>/sa/<account>');
  return trustDomains.includes(identity.trustDomain)
    ? ok(identity)
    : err(`the trust domain ${identity.trustDomain} is neither that of the mesh nor an alias of it`);
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
