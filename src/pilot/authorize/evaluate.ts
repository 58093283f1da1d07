import type { ObjectRef } from '../../model/object.ts';
import { problemOf } from '../translate/access/authorizer.ts';
import type { AccessAction, AccessPlan, AccessPolicy, AccessRule, AccessTest } from '../translate/access/plan.ts';
import { withoutHttp } from '../translate/access/rule.ts';
import { testHolds } from './holds.ts';
import type { AccessRequest } from './request.ts';

// What the proxy of a workload would answer, without a proxy: it says of a request that may never have been made who decided, and
// why. It knows policies, not Envoy; that both agree is tested with a real one.

/** The rule that decided. */
export type DecidingRule = { readonly policy: ObjectRef; readonly rule: string; readonly path: string };

export type AccessReason =
  /** No policy is about the workload. */
  | { readonly kind: 'open' }
  /** A DENY rule matched, or a CUSTOM rule whose authorizer nobody can ask. */
  | { readonly kind: 'refused'; readonly by: DecidingRule }
  /** There are ALLOW policies, and none of their rules matched. */
  | { readonly kind: 'not-allowed'; readonly policies: readonly ObjectRef[] }
  | { readonly kind: 'allowed'; readonly by: DecidingRule }
  /** No rule is against it, and no policy says that it must be allowed. */
  | { readonly kind: 'not-refused' };

export type AccessVerdict = {
  /** What comes out when all authorizers of `asks` agree. */
  readonly decision: 'allow' | 'deny';
  readonly reason: AccessReason;
  /** The external authorizers that are asked first. */
  readonly asks: readonly { readonly provider: string; readonly by: DecidingRule }[];
  readonly audited: DecidingRule | undefined;
  /** What policies that are only tried would do, if they were in force alone. */
  readonly dryRun: { readonly denied: DecidingRule | undefined; readonly allowed: 'yes' | 'no' | 'unsaid' };
};

export function evaluateAccess({ policies }: AccessPlan, request: AccessRequest): AccessVerdict {
  const find = (action: AccessAction, isDryRun: boolean): DecidingRule | undefined =>
    firstMatch(
      policies.filter((policy) => policy.action === action && policy.isDryRun === isDryRun),
      request,
    );
  const custom = policies.filter(({ action }) => action === 'CUSTOM').flatMap((policy) => asked(policy, request));
  const mute = custom.find(({ canAsk }) => !canAsk);
  const refused = mute?.by ?? find('DENY', false);
  const allowing = policies.filter(({ action, isDryRun }) => action === 'ALLOW' && !isDryRun);
  const reason = reasonOf({ refused, allowed: find('ALLOW', false), allowing, isOpen: policies.length === 0 });
  const dryAllowing = policies.some(({ action, isDryRun }) => action === 'ALLOW' && isDryRun);
  return {
    decision: reason.kind === 'refused' || reason.kind === 'not-allowed' ? 'deny' : 'allow',
    reason,
    asks: custom.filter(({ canAsk }) => canAsk).map(({ provider, by }) => ({ provider, by })),
    audited: find('AUDIT', false),
    dryRun: {
      denied: find('DENY', true),
      allowed: dryAllowing ? yesOrNo(find('ALLOW', true) !== undefined) : 'unsaid',
    },
  };
}

function yesOrNo(is: boolean): 'yes' | 'no' {
  return is ? 'yes' : 'no';
}

type Findings = {
  readonly refused: DecidingRule | undefined;
  readonly allowed: DecidingRule | undefined;
  readonly allowing: readonly AccessPolicy[];
  readonly isOpen: boolean;
};

function reasonOf({ refused, allowed, allowing, isOpen }: Findings): AccessReason {
  if (isOpen) return { kind: 'open' };
  if (refused !== undefined) return { kind: 'refused', by: refused };
  if (allowed !== undefined) return { kind: 'allowed', by: allowed };
  if (allowing.length > 0) return { kind: 'not-allowed', policies: allowing.map(({ object }) => object) };
  return { kind: 'not-refused' };
}

type Asked = { readonly provider: string; readonly canAsk: boolean; readonly by: DecidingRule };

function asked(policy: AccessPolicy, request: AccessRequest): readonly Asked[] {
  const by = firstMatch([policy], request);
  const { authorizer } = policy;
  if (by === undefined || authorizer === undefined) return [];
  const problem = problemOf(authorizer, request.http === undefined ? 'tcp' : 'http');
  return [{ provider: authorizer.provider, canAsk: problem === undefined, by }];
}

function firstMatch(policies: readonly AccessPolicy[], request: AccessRequest): DecidingRule | undefined {
  for (const policy of policies) {
    const rule = policy.rules.find((one) => ruleMatches(one, request, policy.action));
    if (rule !== undefined) return { policy: policy.object, rule: rule.name, path: rule.path };
  }
  return undefined;
}

function ruleMatches(rule: AccessRule, request: AccessRequest, action: AccessAction): boolean {
  const decidable = request.http === undefined ? withoutHttp(rule, action) : rule;
  if (decidable === undefined) return false;
  const holds = (test: AccessTest): boolean => testHolds(test, request, action);
  const anyHolds = (groups: AccessRule['sources']): boolean =>
    groups.length === 0 || groups.some((tests) => tests.every(holds));
  return anyHolds(decidable.sources) && anyHolds(decidable.operations) && decidable.conditions.every(holds);
}
