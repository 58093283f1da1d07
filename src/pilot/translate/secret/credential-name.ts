import { isDnsLabel, isDnsName } from '../../../apis/names.ts';
import { err, ok, type Result } from '../../../kit/result.ts';

/** Names a Secret: of the gateway's own namespace, if none is said. */
export type CredentialName = { readonly namespace: string | undefined; readonly name: string };

const SCHEME = 'kubernetes://';

/** `shop-cert`, `shop/shop-cert`, each with or without `kubernetes://`. */
export function parseCredentialName(text: string): Result<CredentialName, string> {
  const plain = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  const parts = plain.split('/');
  const [first = '', second] = parts;
  const name = second ?? first;
  const namespace = second === undefined ? undefined : first;
  const isName = parts.length <= 2 && isDnsName(name) && (namespace === undefined || isDnsLabel(namespace));
  return isName ? ok({ namespace, name }) : err('is no name of a Secret: write its name, or namespace/name');
}

/** As people write it. */
export function renderCredentialName({ namespace, name }: CredentialName): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The resource that carries the pair. */
export function pairResourceName(name: CredentialName): string {
  return `${SCHEME}${renderCredentialName(name)}`;
}

/** The resource that carries who vouches for clients. */
export function authorityResourceName(name: CredentialName): string {
  const text = pairResourceName(name);
  return text.endsWith(AUTHORITY) ? text : `${text}${AUTHORITY}`;
}

const AUTHORITY = '-cacert';

/** The Secrets that may say who vouches for clients; the first that is there and says so counts. */
export function authorityCandidates(name: CredentialName): readonly CredentialName[] {
  return name.name.endsWith(AUTHORITY) ? [name] : [{ ...name, name: `${name.name}${AUTHORITY}` }, name];
}
