import { hostSubsetOf, isWildcard } from '../../apis/host.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshDestinationRule, MeshSnapshot } from '../../model/mesh-snapshot.ts';
import { isVisibleIn, type Service } from '../../model/service.ts';

type Rules = readonly MeshDestinationRule[];

type RuleIndex = { readonly exact: ReadonlyMap<string, Rules>; readonly wild: Rules };

const indexRules = memoByIdentity((rules: Rules): RuleIndex => {
  const exact = Map.groupBy(
    rules.filter(({ host }) => !isWildcard(host)),
    ({ host }) => host,
  );
  return { exact, wild: rules.filter(({ host }) => isWildcard(host)) };
});

const NONE: Rules = [];

/** The rules of one namespace whose host covers the service's, most specific first. */
function covering(rules: Rules | undefined, hostname: string): Rules {
  if (rules === undefined) return NONE;
  const { exact, wild } = indexRules(rules);
  const named = exact.get(hostname) ?? NONE;
  if (wild.length === 0) return named;
  const wider = wild.filter(({ host }) => hostSubsetOf(hostname, host));
  return wider.length === 0 ? named : [...named, ...wider];
}

export type FoundRules = {
  readonly rule: MeshDestinationRule | undefined;
  /** Those for chosen workloads of the client's namespace that come before it. */
  readonly forWorkloads: Rules;
};

export type RuleContext = {
  readonly rules: MeshSnapshot['destinationRules'];
  readonly rootNamespace: string;
};

/**
 * The rules of the client's namespace (but for the root namespace, which speaks for all and so comes last), then of the
 * service's, then of the root namespace; of each only those that are exported to the client.
 */
export function findRules({ rules, rootNamespace }: RuleContext, namespace: string, service: Service): FoundRules {
  const places = namespace === rootNamespace ? [] : [namespace];
  const forWorkloads: MeshDestinationRule[] = [];
  for (const place of new Set([...places, service.namespace, rootNamespace])) {
    for (const rule of covering(rules.get(place), service.hostname)) {
      if (!isVisibleIn(rule.visibility, namespace)) continue;
      if (rule.workloadSelector === undefined) return { rule, forWorkloads };
      // A selector speaks of workloads of its own namespace.
      if (rule.namespace === namespace) forWorkloads.push(rule);
    }
  }
  return { rule: undefined, forWorkloads };
}

/** What a client finds whose namespace has no rules and to which none is exported by name. */
export function findPublicRule(
  { rules, rootNamespace }: RuleContext,
  service: Service,
): MeshDestinationRule | undefined {
  for (const place of [service.namespace, rootNamespace]) {
    for (const rule of covering(rules.get(place), service.hostname)) {
      if (rule.visibility.kind === 'public' && rule.workloadSelector === undefined) return rule;
    }
  }
  return undefined;
}

/** The hosts that rules name; undefined if a rule has a wildcard, so that any service might be meant. */
export function exactHosts(rules: Rules): Iterable<string> | undefined {
  const { exact, wild } = indexRules(rules);
  return wild.length > 0 ? undefined : exact.keys();
}

/** Namespaces to which another namespace exports a rule by name. */
export const namespacesNamed = memoByIdentity((rules: MeshSnapshot['destinationRules']): ReadonlySet<string> => {
  const named = new Set<string>();
  for (const { namespace, visibility } of [...rules.values()].flat()) {
    if (visibility.kind === 'public') continue;
    for (const client of visibility.namespaces) if (client !== namespace) named.add(client);
  }
  return named;
});
