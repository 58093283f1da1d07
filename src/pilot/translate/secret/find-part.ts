import type { GatewaySecret, SecretBook } from '../../../model/gateway-secret.ts';
import { type CredentialName, renderCredentialName } from './credential-name.ts';

/** A pod that may be sent keys, and the Secrets it may use: nothing else of the mesh's Secrets is ever handed on. */
export type CredentialSite = {
  readonly namespace: string;
  readonly isProven: boolean;
  readonly secrets: readonly GatewaySecret[];
};

/** A part of a Secret, as it is to be used; or why it cannot be, for whoever named it. */
export type Found<T> =
  | { readonly kind: 'found'; readonly secret: GatewaySecret; readonly value: T; readonly problem: string | undefined }
  | { readonly kind: 'missing'; readonly reason: string };

/** The Secrets with these names that proxies of the namespace may use, in this order, each once. */
export function usableSecrets(
  names: readonly CredentialName[],
  book: SecretBook,
  namespace: string,
): readonly GatewaySecret[] {
  const keys = new Set(names.map((name) => keyOf(name, namespace)));
  return [...keys].flatMap((key) => {
    const secret = book.get(key);
    return secret !== undefined && mayUse(secret, namespace) ? [secret] : [];
  });
}

/** Its own namespace, and those that the Secret's owner named. */
function mayUse({ ref, allowedNamespaces }: GatewaySecret, namespace: string): boolean {
  return ref.namespace === namespace || allowedNamespaces.includes(namespace);
}

export function findPart<Part extends 'pair' | 'authority'>(
  part: Part,
  names: readonly CredentialName[],
  site: CredentialSite,
): Found<NonNullable<GatewaySecret[Part]['value']>> {
  if (!site.isProven) return { kind: 'missing', reason: unproven };
  const there = names.flatMap((name) => find(name, site) ?? []);
  for (const secret of there) {
    const { value, problem } = secret[part];
    // What is broken is not replaced by what somebody else says.
    if (value !== undefined) return { kind: 'found', secret, value, problem };
    if (problem !== undefined)
      return { kind: 'missing', reason: `Secret ${placeOf(secret)} cannot be used: ${problem}` };
  }
  const [secret] = there;
  if (secret !== undefined) return { kind: 'missing', reason: `Secret ${placeOf(secret)} has ${lacks[part]}` };
  return { kind: 'missing', reason: notThere(names.at(-1), site) };
}

const lacks = {
  pair: 'no certificate: put it under tls.crt and tls.key',
  authority: 'no certificates of authorities to judge others by: put them under ca.crt',
} as const;

const unproven =
  'nothing of a Secret is sent to a proxy that has not proven who it is: let it connect with TLS and its certificate or token';

/** Whether it is not there or not for them is said to nobody: names of other namespaces' Secrets are theirs. */
function notThere(name: CredentialName | undefined, { namespace }: CredentialSite): string {
  if (name === undefined) return 'no Secret is named';
  const isOwn = name.namespace === undefined || name.namespace === namespace;
  if (isOwn)
    return `there is no Secret ${namespace}/${name.name}: create it in the namespace of the proxy’s pod, which must be one of those whose Secrets xebec reads`;
  return `there is no Secret ${renderCredentialName(name)} for proxies of namespace ${namespace}: create it, and name ${namespace} in its annotation xebec.dev/allowed-gateway-namespaces`;
}

function find(name: CredentialName, { namespace, secrets }: CredentialSite): GatewaySecret | undefined {
  const key = keyOf(name, namespace);
  return secrets.find((secret) => placeOf(secret) === key);
}

function keyOf({ namespace, name }: CredentialName, own: string): string {
  return `${namespace ?? own}/${name}`;
}

function placeOf({ ref }: GatewaySecret): string {
  return `${ref.namespace}/${ref.name}`;
}
