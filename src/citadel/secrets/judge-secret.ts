import type { X509Certificate } from 'node:crypto';
import { isKeyOf, readCertificate } from '../../kit/certificate.ts';
import type { KubeObject } from '../../kube/api.ts';
import { asRecord, recordsIn, textIn } from '../../kube/json.ts';
import { spiffeId } from '../../model/identity.ts';
import { beginOf, endOf } from '../authority/pem.ts';
import { IDENTITY_FOLDER, identityFiles } from '../identity-files.ts';
import { BACKDATE_MS } from '../x509/authority.ts';
import { type Account, accountKey } from './account.ts';
import { type RenewalRules, renewAt } from './renewal.ts';
import type { SigningAuthority } from './signing-authority.ts';

export const SECRET_KIND = 'istio.io/key-and-cert';
export const ACCOUNT_ANNOTATION = 'istio.io/service-account.name';

export type SecretInputs = {
  readonly secret: KubeObject;
  readonly account: Account;
  readonly authority: SigningAuthority;
  readonly rules: RenewalRules;
  readonly now: number;
};

/** What is to be done about a Secret, and why. */
export type Judgement =
  /** Nothing, before `renewAt`. */
  | { readonly kind: 'good'; readonly renewAt: number }
  /** Somebody else's, which is never written. */
  | { readonly kind: 'foreign'; readonly why: string }
  /** A new key and certificate. `isPlanned` when only its time had come. */
  | { readonly kind: 'reissue'; readonly why: string; readonly isPlanned: boolean }
  /** The key and its certificate stay: what is around them is written anew. */
  | { readonly kind: 'refresh'; readonly why: string; readonly files: Readonly<Record<string, string>> };

export function judgeSecret(inputs: SecretInputs): Judgement {
  const { secret, account, authority, rules, now } = inputs;
  const type = textIn(secret, 'type');
  if (type !== SECRET_KIND) return { kind: 'foreign', why: `its type is ${type === '' ? 'Opaque' : type}` };
  const [chain, key] = [textOf(secret, 'cert-chain.pem'), textOf(secret, 'key.pem')];
  const leaf = readCertificate(chain);
  const fault = faultOf(leaf, { ...inputs, key });
  if (fault !== undefined || leaf === undefined)
    return { kind: 'reissue', why: fault ?? 'it has no certificate', isPlanned: false };
  const due = renewAt(usedLifeOf(leaf), rules, accountKey(account));
  if (now >= due) return { kind: 'reissue', why: 'it is due', isPlanned: true };
  const { intermediates, roots } = authority.issuer;
  const files = identityFiles({ chain: leaf.toString() + intermediates, key, roots }, IDENTITY_FOLDER);
  const why = flawOf(secret, account, files);
  return why === undefined ? { kind: 'good', renewAt: due } : { kind: 'refresh', why, files };
}

type LeafInputs = SecretInputs & { readonly key: string };

/** Why a key or its certificate is of no use. The first that finds something says it. */
type LeafCheck = (leaf: X509Certificate, inputs: LeafInputs) => string | undefined;

const leafChecks: readonly LeafCheck[] = [
  isKeyless,
  hasOtherKey,
  isAuthority,
  hasOtherName,
  hasOtherIssuer,
  isOver,
  isEarly,
  isInherited,
];

function faultOf(leaf: X509Certificate | undefined, inputs: LeafInputs): string | undefined {
  if (leaf === undefined) return 'its certificate is missing or cannot be read';
  for (const check of leafChecks) {
    const fault = check(leaf, inputs);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isKeyless(_: X509Certificate, { key }: LeafInputs): string | undefined {
  return key === '' ? 'its key is missing' : undefined;
}

function hasOtherKey(leaf: X509Certificate, { key }: LeafInputs): string | undefined {
  return isKeyOf(leaf, key) ? undefined : 'its key is not that of the certificate';
}

function isAuthority(leaf: X509Certificate): string | undefined {
  return leaf.ca ? 'its certificate is that of an authority' : undefined;
}

function hasOtherName(leaf: X509Certificate, { account, authority }: LeafInputs): string | undefined {
  const { namespace, name: serviceAccount } = account;
  const name = spiffeId({ trustDomain: authority.issuer.trustDomain, namespace, serviceAccount });
  return leaf.subjectAltName === `URI:${name}` ? undefined : 'its certificate is for another identity';
}

function hasOtherIssuer(leaf: X509Certificate, { authority: { certificate } }: LeafInputs): string | undefined {
  const isOurs = leaf.checkIssued(certificate) && leaf.verify(certificate.publicKey);
  return isOurs ? undefined : 'another authority signed its certificate';
}

function isOver(leaf: X509Certificate, { now }: LeafInputs): string | undefined {
  return now >= endOf(leaf) ? 'its certificate has ended' : undefined;
}

/** Made by a clock that is far ahead: nobody would accept it. */
function isEarly(leaf: X509Certificate, { now }: LeafInputs): string | undefined {
  return beginOf(leaf) > now + BACKDATE_MS ? 'its certificate begins later' : undefined;
}

/** Whoever had the account that went has its key, and no say in the one that came. */
function isInherited(_: X509Certificate, { secret, account }: LeafInputs): string | undefined {
  const owners = ownersOf(secret).filter(isAccount);
  const isOfOther = owners.length > 0 && owners.every(({ uid }) => uid !== account.uid);
  return isOfOther ? 'it was made for an account of this name that is gone' : undefined;
}

/** What is wrong around a good key and certificate. */
function flawOf(secret: KubeObject, account: Account, files: Readonly<Record<string, string>>): string | undefined {
  const wrong = Object.entries(files).flatMap(([name, text]) => (textOf(secret, name) === text ? [] : [name]));
  if (wrong.length > 0)
    return `${wrong.join(', ')} ${wrong.length === 1 ? 'is not as it' : 'are not as they'} should be`;
  if (annotationsOf(secret)[ACCOUNT_ANNOTATION] !== account.name)
    return `its annotation ${ACCOUNT_ANNOTATION} is wrong`;
  if (!ownersOf(secret).some(({ uid }) => uid === account.uid)) return 'its account does not own it';
  return isImmutable(secret) ? 'it is immutable' : undefined;
}

/** Its data can never be changed: it can only be replaced. */
export function isImmutable(secret: KubeObject): boolean {
  return secret['immutable'] === true;
}

export function annotationsOf(secret: KubeObject): KubeObject {
  return asRecord(asRecord(secret['metadata'])['annotations']);
}

export function ownersOf(secret: KubeObject): readonly KubeObject[] {
  return recordsIn(asRecord(secret['metadata']), 'ownerReferences');
}

export function isAccount(owner: KubeObject): boolean {
  return owner['kind'] === 'ServiceAccount' && owner['apiVersion'] === 'v1';
}

function textOf(secret: KubeObject, name: string): string {
  return Buffer.from(textIn(asRecord(secret['data']), name), 'base64').toString('utf8');
}

/** From when it was issued: it is valid earlier, for clocks that are behind. */
function usedLifeOf(leaf: X509Certificate): { readonly notBefore: number; readonly notAfter: number } {
  const [notBefore, notAfter] = [beginOf(leaf), endOf(leaf)];
  const issuedAt = notBefore + BACKDATE_MS;
  return { notBefore: issuedAt < notAfter ? issuedAt : notBefore, notAfter };
}
