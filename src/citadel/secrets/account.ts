import type { KubeObject, ResourceType } from '../../kube/api.ts';
import { asRecord, nameOf, textIn } from '../../kube/json.ts';

/** A service account, which is to have an identity. */
export type Account = { readonly namespace: string; readonly name: string; readonly uid: string };

export const accountType: ResourceType = { group: '', version: 'v1', plural: 'serviceaccounts' };
export const namespaceType: ResourceType = { group: '', version: 'v1', plural: 'namespaces' };
export const secretType: ResourceType = { group: '', version: 'v1', plural: 'secrets' };

/** What Kubernetes allows a Secret to be called is less than `istio.` before the longest name of an account. */
export const LONGEST_ACCOUNT = 247;

const PREFIX = 'istio.';

export function readAccount(object: KubeObject): Account {
  return { ...nameOf(object), uid: textIn(asRecord(object['metadata']), 'uid') };
}

/** `namespace/account`. */
export function accountKey({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

export function secretNameOf(account: string): string {
  return `${PREFIX}${account}`;
}

/** Whose identity a Secret of this name holds; undefined for a name that Citadel never gives. */
export function accountOfSecret(secretName: string): string | undefined {
  return secretName.startsWith(PREFIX) && secretName.length > PREFIX.length
    ? secretName.slice(PREFIX.length)
    : undefined;
}
