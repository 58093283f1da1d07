import { memoByIdentity } from '../../../kit/memo.ts';
import { type ClassicTokens, isKnownPeer, type RequestPlan, tokenPolicyAt } from '../jwt/plan.ts';
import type { SecuritySite } from '../security.ts';
import type { AccessPlan, AccessPolicy, AccessRule, AccessTest } from './plan.ts';

/**
 * What applies at one place. The classic API asks for the principal of a request, and a classic Policy says whose that is: by default not
 * the token's, but the peer's.
 */
export function accessAt(access: AccessPlan, request: RequestPlan, site: SecuritySite): AccessPlan {
  const tokens = tokenPolicyAt(request, site);
  return tokens.kind === 'classic' && isPeers(tokens, site) ? boundToPeer(access) : access;
}

/** A peer that its own token makes known has that token's principal. */
function isPeers(tokens: ClassicTokens, site: SecuritySite): boolean {
  return tokens.principalBinding === 'USE_PEER' && (tokens.peers.length === 0 || isKnownPeer(tokens, site));
}

const boundToPeer = memoByIdentity((plan: AccessPlan): AccessPlan => {
  const policies = plan.policies.map(policyOfPeer);
  return policies.every((policy, index) => policy === plan.policies[index]) ? plan : { ...plan, policies };
});

const policyOfPeer = memoByIdentity((policy: AccessPolicy): AccessPolicy => {
  const isAsked = policy.rules.some((rule) => testsOf(rule).some(({ about }) => about === 'request-principal'));
  if (policy.object.kind !== 'ServiceRoleBinding' || !isAsked) return policy;
  return { ...policy, rules: policy.rules.map(ruleOfPeer) };
});

function testsOf({ sources, conditions }: AccessRule): readonly AccessTest[] {
  return [...sources.flat(), ...conditions];
}

function ruleOfPeer(rule: AccessRule): AccessRule {
  return {
    ...rule,
    sources: rule.sources.map((tests) => tests.map(testOfPeer)),
    conditions: rule.conditions.map(testOfPeer),
  };
}

function testOfPeer(test: AccessTest): AccessTest {
  return test.about === 'request-principal' ? { ...test, about: 'principal' } : test;
}
