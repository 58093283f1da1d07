import { memoByIdentity } from '../../kit/memo.ts';
import type { SecretBook } from '../../model/gateway-secret.ts';
import type { MeshDestinationRule } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { ProxyTraits, ServiceAtPort } from '../translate/plan.ts';
import { authorityCandidates, type CredentialName, parseCredentialName } from '../translate/secret/credential-name.ts';
import { type CredentialSite, usableSecrets } from '../translate/secret/find-part.ts';
import { IdentityMemo } from './identity-memo.ts';

/** Whose the clients are: it decides which Secrets they may use. */
export type ClientOwner = Pick<ProxyTraits, 'namespace' | 'isProven'>;

export function ownerKey({ namespace, isProven }: ClientOwner): string {
  return `${namespace} ${isProven}`;
}

/** Whether any rule names a Secret: then it matters whose the clients are. */
export const nameSecrets = memoByIdentity((members: readonly ServiceAtPort[]): boolean =>
  members.some(({ rule }) => rule !== undefined && namesIn(rule).length > 0),
);

type SiteInputs = ClientOwner & { readonly rule: MeshDestinationRule; readonly book: SecretBook };

const sites = new IdentityMemo<ServiceAtPort, SiteInputs, CredentialSite>(({ rule, book, namespace, isProven }) => ({
  namespace,
  isProven,
  // Nobody's key is so much as looked at for whoever may have no keys.
  secrets: isProven ? usableSecrets(namesIn(rule), book, namespace) : [],
}));

type Client = { readonly kind: Proxy['kind']; readonly owner: ClientOwner; readonly book: SecretBook };

/** The Secrets for a member's clients, if its rule names any that they are to use: gateways, and sidecars that the rule chooses. */
export function credentialSite(at: ServiceAtPort, { kind, owner, book }: Client): CredentialSite | undefined {
  const { rule } = at;
  if (rule === undefined || namesIn(rule).length === 0) return undefined;
  if (kind !== 'router' && rule.workloadSelector === undefined) return undefined;
  const { namespace, isProven } = owner;
  return sites.get(at, ownerKey(owner), { namespace, isProven, rule, book });
}

const namesIn = memoByIdentity(({ trafficPolicy, subsets }: MeshDestinationRule): readonly CredentialName[] => {
  const policies = [trafficPolicy?.spec, ...subsets.map(({ spec }) => spec.trafficPolicy)];
  const settings = policies.flatMap((policy) => [
    policy?.tls,
    ...(policy?.portLevelSettings ?? []).map(({ tls }) => tls),
  ]);
  return settings.flatMap((tls) => {
    const name = parseCredentialName(tls?.credentialName ?? '');
    return name.ok ? [name.value, ...authorityCandidates(name.value)] : [];
  });
});
