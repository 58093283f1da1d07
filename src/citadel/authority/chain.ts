import type { X509Certificate } from 'node:crypto';
import { memoByIdentity } from '../../kit/memo.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import { maySignCertificates, readCertificateExtensions } from '../x509/read-extensions.ts';
import { beginOf, endOf, isIn } from './pem.ts';

/** Longer ones nobody has, and whoever connects would have to check them all. */
const MOST_CERTIFICATES = 8;

/** From who signs up to a root, both included. */
export type Chain = readonly [X509Certificate, ...X509Certificate[]];

export type ChainInputs = {
  readonly signer: X509Certificate;
  readonly roots: readonly X509Certificate[];
  /** What may stand between them, in any order. */
  readonly others: readonly X509Certificate[];
};

/** How a signing certificate leads to a root; none when it does not. The shortest way there is. */
export function chainOf({ signer, roots, others }: ChainInputs): Chain | undefined {
  let ways: readonly Chain[] = [[signer]];
  for (let length = 1; length <= MOST_CERTIFICATES && ways.length > 0; length += 1) {
    const arrived = ways.find((way) => isIn(top(way), roots));
    if (arrived !== undefined) return arrived;
    ways = ways.flatMap((way) =>
      [...roots, ...others].filter((next) => isAbove(next, way)).map((next) => grown(way, next)),
    );
  }
  return undefined;
}

function isAbove(next: X509Certificate, way: Chain): boolean {
  return !isIn(next, way) && isIssuedBy(top(way), next);
}

function isIssuedBy(child: X509Certificate, parent: X509Certificate): boolean {
  try {
    return parent.ca && child.checkIssued(parent) && child.verify(parent.publicKey);
  } catch {
    // A key of a kind that cannot verify.
    return false;
  }
}

function top(way: Chain): X509Certificate {
  return way.at(-1) ?? way[0];
}

function grown([first, ...rest]: Chain, next: X509Certificate): Chain {
  return [first, ...rest, next];
}

const extensionsOf = memoByIdentity((certificate: X509Certificate) => readCertificateExtensions(certificate.raw));

/** Whether leaves that hang below a chain would be valid now. */
export function checkChain(chain: Chain, now: number): Result<void, string> {
  for (const [index, certificate] of chain.entries()) {
    const fault = authorityFault(certificate, { below: index, now });
    if (fault !== undefined) return err(`${nameOf(certificate)} ${fault}`);
  }
  return ok(undefined);
}

function authorityFault(
  certificate: X509Certificate,
  { below, now }: { readonly below: number; readonly now: number },
): string | undefined {
  const extensions = extensionsOf(certificate);
  if (!extensions.ok) return `cannot be read: ${extensions.error}`;
  const { isAuthority, keyUsage, pathLength } = extensions.value;
  if (!isAuthority) return 'is no authority (CA:TRUE is missing)';
  if (keyUsage !== undefined && !maySignCertificates(extensions.value))
    return 'may not sign certificates (keyCertSign is missing)';
  if (pathLength !== undefined && below > pathLength)
    return `allows for ${pathLength} authorities below it, and there are ${below}`;
  if (now < beginOf(certificate)) return `begins at ${timeText(beginOf(certificate))}; it is ${timeText(now)} here`;
  return now < endOf(certificate) ? undefined : `ended at ${timeText(endOf(certificate))}; it is ${timeText(now)} here`;
}

/** By which a person finds it. */
export function nameOf({ subject, fingerprint256 }: X509Certificate): string {
  return `the certificate ${(subject ?? '').replaceAll('\n', ', ')} (SHA-256 ${fingerprint256.slice(0, 23)}…)`;
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
