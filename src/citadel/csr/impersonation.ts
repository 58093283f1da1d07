import { err, ok, type Result } from '../../kit/result.ts';
import { type Identity, parseSpiffeId } from '../../model/identity.ts';
import type { Caller } from '../authn/caller.ts';

export type PlacedAccount = { readonly node: string; readonly namespace: string; readonly serviceAccount: string };

export type ImpersonationRules = {
  /** `namespace/name` of those who stand in for others: proxies of nodes. */
  readonly trustedAccounts: ReadonlySet<string>;
  readonly trustDomain: string;
  /** Whether an account has a pod on a node that has not ended. */
  readonly hasPodOnNode: (account: PlacedAccount) => boolean;
};

/** For whom a caller may ask: itself, or, as the proxy of a node, an account that has a pod there. The error says why not. */
export function impersonatedIdentity(
  { identity, node }: Caller,
  wanted: string,
  { trustedAccounts, trustDomain, hasPodOnNode }: ImpersonationRules,
): Result<Identity, string> {
  if (!trustedAccounts.has(`${identity.namespace}/${identity.serviceAccount}`)) {
    return err('the caller may ask for no certificates but its own');
  }
  if (node === undefined || node === '')
    return err('the credential does not say on which node the caller is; it takes a token of its pod');
  const parsed = parseSpiffeId(wanted);
  if (parsed === undefined) return err('ImpersonatedIdentity is not spiffe://<domain>/ns/<namespace>/sa/<account>');
  if (parsed.trustDomain !== trustDomain) return err('ImpersonatedIdentity is of another trust domain');
  const { namespace, serviceAccount } = parsed;
  if (!hasPodOnNode({ node, namespace, serviceAccount }))
    return err('that account has no pod on the node of the caller');
  return ok(parsed);
}
