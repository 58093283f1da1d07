import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { memoByIdentity } from '../../kit/memo.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import { type Chain, chainOf, checkChain } from './chain.ts';
import { type AuthorityFiles, textOf } from './files.ts';
import { bundleOf, certificatesIn, endOf, isIn, pemOf } from './pem.ts';

/** A root, with the texts of it and its key in one spelling. */
export type RootPair = { readonly certificate: X509Certificate; readonly key: string };

/** What signs and what is trusted, read and found good. */
export type Material = {
  /** From who signs up to its root, both included. */
  readonly chain: Chain;
  /** PKCS#8 PEM. */
  readonly key: string;
  readonly roots: readonly X509Certificate[];
  /** Certificates that were revoked, as PEM; whoever wrote it has said so. */
  readonly revoked: string;
  /** The root that everybody is told of, and that is to sign next. */
  readonly next: RootPair | undefined;
  /** Since when the rotation is where it is. */
  readonly since: number | undefined;
  /** The last request of a person that was heard. */
  readonly request: string;
};

/** Reads an authority, whoever wrote it. The error says what is wrong with which file; nothing of a key is in it. */
export function readMaterial(files: AuthorityFiles, now: number): Result<Material, string> {
  const parsed = parseMaterial(files);
  if (!parsed.ok) return parsed;
  const checked = checkChain(parsed.value.chain, now);
  if (!checked.ok) return checked;
  const { next } = parsed.value;
  return next === undefined || checkChain([next.certificate], now).ok
    ? parsed
    : ok({ ...parsed.value, next: undefined });
}

/** Everything but whether it is valid now. */
const parseMaterial = memoByIdentity((files: AuthorityFiles): Result<Material, string> => {
  const parts = readParts(files);
  if (!parts.ok) return parts;
  const { signer, key, roots, others } = parts.value;
  const chain = chainOf({ signer, roots, others });
  if (chain === undefined) return err('ca-cert.pem does not lead, by cert-chain.pem, to a root of root-cert.pem');
  const { since, request } = readRotation(textOf(files, 'rotation'));
  const next = readNext(files);
  const trusted = next === undefined || isIn(next.certificate, roots) ? roots : [...roots, next.certificate];
  const revoked = textOf(files, 'revoked');
  return ok({ chain, key: exportKey(key), roots: trusted, revoked, next, since, request });
});

type Parts = {
  readonly signer: X509Certificate;
  readonly key: KeyObject;
  readonly roots: readonly X509Certificate[];
  readonly others: readonly X509Certificate[];
};

function readParts(files: AuthorityFiles): Result<Parts, string> {
  const key = readKey(textOf(files, 'key'));
  if (!key.ok) return err(`ca-key.pem ${key.error}`);
  const own = readBundle('ca-cert.pem', textOf(files, 'certificate'));
  if (!own.ok) return own;
  const signer = own.value.find((certificate) => certificate.checkPrivateKey(key.value));
  if (signer === undefined) {
    return err(own.value.length === 0 ? 'ca-cert.pem is missing' : 'ca-key.pem is not the key of ca-cert.pem');
  }
  const others = readBundle('cert-chain.pem', textOf(files, 'chain'));
  if (!others.ok) return others;
  const roots = readBundle('root-cert.pem', textOf(files, 'roots'));
  if (!roots.ok) return roots;
  // A self-signed one was always kept alone.
  const trusted = roots.value.length === 0 && isSelfSigned(signer) ? [signer] : roots.value;
  if (trusted.length === 0) return err('root-cert.pem is missing');
  return ok({ signer, key: key.value, roots: trusted, others: [...own.value, ...others.value] });
}

function readBundle(name: string, text: string): Result<readonly X509Certificate[], string> {
  const certificates = certificatesIn(text);
  if (certificates === undefined || (certificates.length === 0 && text.trim() !== ''))
    return err(`${name} holds what is no certificate`);
  return ok(certificates);
}

/** The names that Node gives to curves by which leaves can be signed so that every Envoy verifies them. */
const CURVES: readonly string[] = ['prime256v1', 'secp384r1'];
const LEAST_BITS = 2048;

/** PKCS#1, PKCS#8 or SEC1. */
function readKey(text: string): Result<KeyObject, string> {
  if (text === '') return err('is missing');
  if (text.includes('ENCRYPTED')) return err('is encrypted; give it without a passphrase');
  try {
    const key = createPrivateKey(text);
    const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
    const isGood = key.asymmetricKeyType === 'rsa' ? modulusLength >= LEAST_BITS : CURVES.includes(namedCurve);
    return isGood ? ok(key) : err(`is neither P-256, nor P-384, nor RSA of ${LEAST_BITS} bits or more`);
  } catch {
    return err('cannot be read');
  }
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

/** A damaged one is none: another will be announced. */
function readNext(files: AuthorityFiles): RootPair | undefined {
  const key = readKey(textOf(files, 'nextKey'));
  const [certificate] = certificatesIn(textOf(files, 'nextCertificate')) ?? [];
  if (!key.ok || certificate === undefined || !isSelfSigned(certificate)) return undefined;
  if (!certificate.checkPrivateKey(key.value)) return undefined;
  return { certificate, key: exportKey(key.value) };
}

function readRotation(text: string): Pick<Material, 'since' | 'request'> {
  const { since, request } = parseRecord(text);
  const time = typeof since === 'string' ? Date.parse(since) : Number.NaN;
  return { since: Number.isNaN(time) ? undefined : time, request: typeof request === 'string' ? request : '' };
}

function parseRecord(text: string): { readonly since?: unknown; readonly request?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** What a self-signed authority is kept as. What classic Citadel kept beside it, empty, is there too. */
export function writeMaterial({
  chain: [signer],
  key,
  roots,
  revoked,
  next,
  since,
  request,
}: Material): AuthorityFiles {
  const isAlone = roots.length === 1 && next === undefined;
  const rotation = {
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(request === '' ? {} : { request }),
  };
  return {
    'ca-cert.pem': pemOf(signer),
    'ca-key.pem': key,
    'cert-chain.pem': '',
    'key.pem': '',
    'root-cert.pem': isAlone ? '' : bundleOf(roots),
    ...(revoked === '' ? {} : { 'ca-crl.pem': revoked }),
    ...(next === undefined ? {} : { 'next-ca-cert.pem': pemOf(next.certificate), 'next-ca-key.pem': next.key }),
    ...(Object.keys(rotation).length === 0 ? {} : { 'rotation.json': JSON.stringify(rotation) }),
  };
}

/** When the first of a chain ends: nothing below it is valid any longer. */
export function chainEnd(chain: Chain): number {
  return Math.min(...chain.map(endOf));
}
