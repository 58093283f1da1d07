import { type HttpFilter, RBAC_Action } from '../../../gen/types.ts';
import { originOf } from '../built.ts';
import { extension } from '../protobuf.ts';
import type { SecurityPart, SecuritySite } from '../security.ts';
import { noSecurityPart } from '../security-part.ts';
import { buildHttpAuthorizer } from './authorizer.ts';
import { byProvider, marks, type ProviderPolicies } from './custom.ts';
import type { AccessPlan } from './plan.ts';
import { buildRuleSet, entriesBy, type RuleSet, rulesOf } from './rbac.ts';
import { buildRule } from './rule.ts';
import { diagnosePlan, tellProviders } from './tell.ts';

export type HttpAccess = {
  /** Asks an external authorizer; comes before tokens are read. */
  readonly custom: SecurityPart<HttpFilter>;
  readonly rules: SecurityPart<HttpFilter>;
};

const NAME = 'envoy.filters.http.rbac';
const TYPE = 'envoy.extensions.filters.http.rbac.v3.RBAC';

export function buildHttpAccess(plan: AccessPlan, site: SecuritySite): HttpAccess {
  if (plan.policies.length === 0) return { custom: noSecurityPart, rules: noSecurityPart };
  const providers = byProvider(plan);
  const asked = providers.map((one) => ({ one, built: buildCustom(one) }));
  const rules = [
    buildFilter(buildRuleSet(plan, 'AUDIT', buildForRequests), undefined),
    buildFilter(buildRuleSet(plan, 'DENY', buildForRequests), 'istio_dry_run_deny_'),
    buildFilter(buildRuleSet(plan, 'ALLOW', buildForRequests), 'istio_dry_run_allow_'),
  ];
  return {
    custom: {
      filters: asked.flatMap(({ built }) => built.filters),
      needs: asked.flatMap(({ built }) => built.needs),
      origins: [],
      diagnostics: asked.flatMap(({ one, built }) => tellProviders(one, built.problem)),
    },
    rules: {
      filters: rules.flat(),
      needs: [],
      origins: originsOf(plan),
      diagnostics: diagnosePlan(plan, site, 'http'),
    },
  };
}

const buildForRequests = entriesBy(buildRule);

function buildFilter(
  { rules, shadowRules }: RuleSet,
  shadowRulesStatPrefix: string | undefined,
): readonly HttpFilter[] {
  if (rules === undefined && shadowRules === undefined) return [];
  const prefix = shadowRules === undefined ? undefined : shadowRulesStatPrefix;
  return [extension(NAME, TYPE, { rules, shadowRules, shadowRulesStatPrefix: prefix })];
}

type BuiltCustom = Pick<SecurityPart<HttpFilter>, 'filters' | 'needs'> & { readonly problem: string | undefined };

/** What matches is asked about. Where nobody can be asked, it is refused. */
function buildCustom(provider: ProviderPolicies): BuiltCustom {
  const built = buildHttpAuthorizer(provider);
  const rules = rulesOf(provider.policies, RBAC_Action.DENY, buildForRequests);
  if (built.kind === 'problem')
    return { filters: [extension(NAME, TYPE, { rules })], needs: [], problem: built.problem };
  const { statPrefix } = provider;
  const shadowRules = marks(rules);
  const mark = extension(NAME, TYPE, { shadowRules, shadowRulesStatPrefix: statPrefix });
  return { filters: [mark, built.filter], needs: [built.cluster], problem: undefined };
}

function originsOf({ policies }: AccessPlan): SecurityPart<HttpFilter>['origins'] {
  return policies.map(({ object }) => originOf(object, 'spec'));
}
