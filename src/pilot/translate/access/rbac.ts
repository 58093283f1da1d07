import { type ConfigRbacRBAC, type Policy, RBAC_Action } from '../../../gen/types.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import type { AccessAction, AccessPlan, AccessPolicy, AccessRule } from './plan.ts';

/** What Envoy's filters of one action decide by: what is in force, and what only is counted. */
export type RuleSet = {
  readonly rules: ConfigRbacRBAC | undefined;
  readonly shadowRules: ConfigRbacRBAC | undefined;
};

/** The rules of a policy as Envoy knows them, by their names. */
export type BuildEntries = (policy: AccessPolicy) => readonly (readonly [string, Policy])[];

/** Each policy is built once, however many chains of however many workloads it stands before. */
export function entriesBy(build: (rule: AccessRule, action: AccessAction) => Policy | undefined): BuildEntries {
  return memoByIdentity(({ rules, action }: AccessPolicy) =>
    rules.flatMap((rule) => {
      const built = build(rule, action);
      return built === undefined ? [] : [[rule.name, built] as const];
    }),
  );
}

const actions: Readonly<Record<Exclude<AccessAction, 'CUSTOM'>, RBAC_Action>> = {
  AUDIT: RBAC_Action.LOG,
  DENY: RBAC_Action.DENY,
  ALLOW: RBAC_Action.ALLOW,
};

/** Undefined members where no policy asks for them: an empty list of ALLOW rules refuses everything, which some policies want. */
export function buildRuleSet(
  { policies }: AccessPlan,
  action: Exclude<AccessAction, 'CUSTOM'>,
  build: BuildEntries,
): RuleSet {
  const ofAction = policies.filter((policy) => policy.action === action);
  const inForce = ofAction.filter(({ isDryRun }) => !isDryRun);
  const dry = ofAction.filter(({ isDryRun }) => isDryRun);
  return { rules: rulesOf(inForce, actions[action], build), shadowRules: rulesOf(dry, actions[action], build) };
}

/** Undefined for no policies. Policies without rules that can match are a list without entries. */
export function rulesOf(
  policies: readonly AccessPolicy[],
  action: RBAC_Action,
  build: BuildEntries,
): ConfigRbacRBAC | undefined {
  if (policies.length === 0) return undefined;
  return { action, policies: Object.fromEntries(policies.flatMap(build)) };
}
