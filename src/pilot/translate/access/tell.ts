import type { Diagnostic } from '../../../model/diagnostic.ts';
import { renderRef } from '../../../model/object.ts';
import type { Place } from '../policy/diagnose.ts';
import type { SecuritySite } from '../security.ts';
import { diagnoseAccess } from './codes.ts';
import type { ProviderPolicies } from './custom.ts';
import { type AccessPlan, type AccessPolicy, type AccessRule, type AccessTest, isOfPeer } from './plan.ts';
import { httpTests } from './rule.ts';
import { refuses } from './stance.ts';

/** What the owners of policies must hear about one place where these apply. */
export function diagnosePlan(plan: AccessPlan, site: SecuritySite, serves: 'http' | 'tcp'): readonly Diagnostic[] {
  return plan.policies.flatMap((policy) => [
    ...policy.flaws.map(({ place, message }) => diagnoseAccess('warning', 'XEB2805', place, message)),
    ...policy.rules
      .filter((rule) => concerns(rule, site))
      .flatMap((rule) => [
        ...(serves === 'tcp' ? tellTcp(policy, rule, site) : tellRawPaths(plan, rule)),
        ...tellPlaintext(policy, rule, site),
      ]),
  ]);
}

/** Ports that nobody declared are all sorts of things; a rule that names other ports is not about this one. */
function concerns({ operations, conditions }: AccessRule, { port, direction }: SecuritySite): boolean {
  if (port === undefined) return direction === 'gateway';
  const isOther = (test: AccessTest): boolean => {
    return test.about === 'destination-port' && test.values.includes(port) === test.isNegated;
  };
  if (conditions.some(isOther)) return false;
  return operations.length === 0 || operations.some((tests) => !tests.some(isOther));
}

function tellTcp({ action, isDryRun }: AccessPolicy, rule: AccessRule, site: SecuritySite): readonly Diagnostic[] {
  if (action === 'AUDIT' || isDryRun) return [];
  const level = site.member?.port.protocol === 'auto' ? 'info' : 'warning';
  const port = site.port === undefined ? 'a port' : `port ${site.port}`;
  const effect = refuses(action)
    ? `so on ${port}, which is TCP, the rule refuses all connections that the rest of it is about; name other ports in to.operation.ports`
    : `so on ${port}, which is TCP, the rule lets nobody in; give the port a rule of its own, or declare it as HTTP`;
  return places(httpTests(rule)).map((place) =>
    diagnoseAccess(level, 'XEB2801', place, `only HTTP has this, ${effect}`),
  );
}

function tellPlaintext(policy: AccessPolicy, rule: AccessRule, site: SecuritySite): readonly Diagnostic[] {
  if (site.isMutualTls || site.direction !== 'inbound' || policy.action !== 'DENY' || policy.isDryRun) return [];
  const tests = [...rule.sources.flat(), ...rule.conditions].filter((test) => isOfPeer(test) && !test.isNegated);
  const message =
    'clients without mutual TLS have no identity, so this rule does not keep them out; make the workload STRICT, or deny notPrincipals ["*"] too';
  return places(tests).map((place) => diagnoseAccess('warning', 'XEB2802', place, message));
}

function tellRawPaths({ hasRawPaths }: AccessPlan, rule: AccessRule): readonly Diagnostic[] {
  if (!hasRawPaths) return [];
  const tests = [...rule.operations.flat()].filter(({ about }) => about === 'path');
  const message = 'pathNormalization is NONE, so clients can write paths in ways that this does not match; use BASE';
  return places(tests).map((place) => diagnoseAccess('warning', 'XEB2804', place, message));
}

/** Each once: a list of values is one test for several reasons. */
function places(tests: readonly AccessTest[]): readonly Place[] {
  return [...new Map(tests.map(({ place }) => [`${renderRef(place.object)} ${place.path}`, place])).values()];
}

export function tellProviders(
  { policies, authorizer }: ProviderPolicies,
  problem: string | undefined,
): readonly Diagnostic[] {
  if (problem === undefined) return [];
  const message = `provider ${authorizer.provider} cannot be asked: ${problem}; until then all that the policy matches is refused`;
  return policies.map(({ object }) =>
    diagnoseAccess('warning', 'XEB2803', { object, path: 'spec.provider.name' }, message),
  );
}
