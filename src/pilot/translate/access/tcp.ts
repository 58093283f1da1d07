import { type ConfigListenerFilter, RBAC_Action } from '../../../gen/types.ts';
import { originOf } from '../built.ts';
import { extension } from '../protobuf.ts';
import type { SecurityPart, SecuritySite } from '../security.ts';
import { noSecurityPart } from '../security-part.ts';
import { buildTcpAuthorizer } from './authorizer.ts';
import { byProvider, marks, type ProviderPolicies } from './custom.ts';
import type { AccessPlan } from './plan.ts';
import { buildRuleSet, entriesBy, type RuleSet, rulesOf } from './rbac.ts';
import { buildRule, withoutHttp } from './rule.ts';
import { diagnosePlan, tellProviders } from './tell.ts';

const NAME = 'envoy.filters.network.rbac';
const TYPE = 'envoy.extensions.filters.network.rbac.v3.RBAC';
const statPrefix = 'tcp.';

export function buildTcpAccess(plan: AccessPlan, site: SecuritySite): SecurityPart<ConfigListenerFilter> {
  if (plan.policies.length === 0) return noSecurityPart;
  const asked = byProvider(plan).map((one) => ({ one, built: buildCustom(one) }));
  return {
    filters: [
      ...asked.flatMap(({ built }) => built.filters),
      ...buildFilter(buildRuleSet(plan, 'AUDIT', buildForConnections), undefined),
      ...buildFilter(buildRuleSet(plan, 'DENY', buildForConnections), 'istio_dry_run_deny_'),
      ...buildFilter(buildRuleSet(plan, 'ALLOW', buildForConnections), 'istio_dry_run_allow_'),
    ],
    needs: asked.flatMap(({ built }) => built.needs),
    origins: plan.policies.map(({ object }) => originOf(object, 'spec')),
    diagnostics: [
      ...diagnosePlan(plan, site, 'tcp'),
      // Where nobody said what ports are, the owner hears of it from those of HTTP, if at all.
      ...(site.port === undefined ? [] : asked.flatMap(({ one, built }) => tellProviders(one, built.problem))),
    ],
  };
}

const buildForConnections = entriesBy((rule, action) => {
  const kept = withoutHttp(rule, action);
  return kept === undefined ? undefined : buildRule(kept, action);
});

function buildFilter(
  { rules, shadowRules }: RuleSet,
  shadowPrefix: string | undefined,
): readonly ConfigListenerFilter[] {
  if (rules === undefined && shadowRules === undefined) return [];
  const shadowRulesStatPrefix = shadowRules === undefined ? undefined : shadowPrefix;
  return [extension(NAME, TYPE, { rules, shadowRules, shadowRulesStatPrefix, statPrefix })];
}

type BuiltCustom = Pick<SecurityPart<ConfigListenerFilter>, 'filters' | 'needs'> & {
  readonly problem: string | undefined;
};

function buildCustom(provider: ProviderPolicies): BuiltCustom {
  const built = buildTcpAuthorizer(provider);
  const rules = rulesOf(provider.policies, RBAC_Action.DENY, buildForConnections);
  if (built.kind === 'problem')
    return { filters: [extension(NAME, TYPE, { rules, statPrefix })], needs: [], problem: built.problem };
  const shadowRules = marks(rules);
  const mark = extension(NAME, TYPE, { shadowRules, shadowRulesStatPrefix: provider.statPrefix, statPrefix });
  return { filters: [mark, built.filter], needs: [built.cluster], problem: undefined };
}
