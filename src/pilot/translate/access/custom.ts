import { type ConfigRbacRBAC, type Policy, RBAC_Action } from '../../../gen/types.ts';
import type { AccessPlan, AccessPolicy, Authorizer } from './plan.ts';

/** Before the names of rules that send a request to an authorizer. */
export const EXT_AUTHZ_POLICY = 'istio-ext-authz-';

/** The policies that ask one authorizer. */
export type ProviderPolicies = {
  readonly authorizer: Authorizer;
  readonly policies: readonly AccessPolicy[];
  /** Of the metadata by which the authorizer's filter knows that it is to ask. */
  readonly statPrefix: string;
};

/** Each provider once, in the order of their oldest policies. All of them must agree. */
export function byProvider({ policies }: AccessPlan): readonly ProviderPolicies[] {
  const groups = new Map<string, AccessPolicy[]>();
  const authorizers = new Map<string, Authorizer>();
  for (const policy of policies) {
    const { authorizer } = policy;
    if (policy.action !== 'CUSTOM' || authorizer === undefined) continue;
    authorizers.set(authorizer.provider, authorizer);
    const group = groups.get(authorizer.provider) ?? [];
    group.push(policy);
    groups.set(authorizer.provider, group);
  }
  return [...authorizers].map(([provider, authorizer], index) => ({
    authorizer,
    policies: groups.get(provider) ?? [],
    statPrefix: index === 0 ? 'istio_ext_authz_' : `istio_ext_authz_${index + 1}_`,
  }));
}

/** Rules that refuse nothing: they leave a mark by which the authorizer's filter knows that it is to ask. */
export function marks(rules: ConfigRbacRBAC | undefined): ConfigRbacRBAC {
  const known: Readonly<Record<string, Policy>> = rules?.policies ?? {};
  const policies = Object.fromEntries(Object.entries(known).map(([name, policy]) => [EXT_AUTHZ_POLICY + name, policy]));
  return { action: RBAC_Action.DENY, policies };
}
