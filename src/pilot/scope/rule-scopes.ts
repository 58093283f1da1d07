import { KeyedMemo, memoByIdentity, sameFields, sameItems } from '../../kit/memo.ts';
import type { ServiceKey } from '../../model/ids.ts';
import type { MeshDestinationRule } from '../../model/mesh-snapshot.ts';
import type { Service } from '../../model/service.ts';
import { rememberingCompare } from './keep-shared.ts';
import { exactHosts, findPublicRule, findRules, namespacesNamed, type RuleContext } from './rule-lookup.ts';
import type { SidecarScope } from './scope.ts';

export type RuleInputs = RuleContext & { readonly namespace: string; readonly services: readonly Service[] };

export type ScopedRules = Pick<SidecarScope, 'destinationRules' | 'workloadRules'>;

type RuleMap = SidecarScope['destinationRules'];

/**
 * The rules of each scope. Namespaces that see the same services mostly see the same public rules, in one map; only what a
 * namespace's own rules cover is looked for again.
 */
export class RuleScopes {
  readonly #kept = new Map<string, ScopedRules>();
  readonly #shared = new KeyedMemo<'', RuleContext, (services: readonly Service[]) => RuleMap>((context) =>
    memoByIdentity((services: readonly Service[]) => findPublicRules(context, services)),
  );

  get(scope: string, inputs: RuleInputs): ScopedRules {
    const before = this.#kept.get(scope);
    const built = this.#build(inputs);
    const kept = before === undefined ? built : keepRules(before, built);
    this.#kept.set(scope, kept);
    return kept;
  }

  retain(scopes: ReadonlySet<string>): void {
    for (const scope of this.#kept.keys()) if (!scopes.has(scope)) this.#kept.delete(scope);
  }

  #build({ rules, rootNamespace, namespace, services }: RuleInputs): ScopedRules {
    const context = { rules, rootNamespace };
    const shared = this.#shared.get('', context)(services);
    const destinationRules = new Map<ServiceKey, MeshDestinationRule>();
    const workloadRules = new Map<ServiceKey, readonly MeshDestinationRule[]>();
    let isShared = true;
    for (const service of concerned(context, namespace, services)) {
      const { rule, forWorkloads } = findRules(context, namespace, service);
      if (rule !== undefined) destinationRules.set(service.key, rule);
      if (rule !== shared.get(service.key)) isShared = false;
      if (forWorkloads.length > 0) workloadRules.set(service.key, forWorkloads);
    }
    if (isShared)
      return { destinationRules: shared, workloadRules: workloadRules.size === 0 ? NO_RULES : workloadRules };
    return { destinationRules: new Map([...shared, ...destinationRules]), workloadRules };
  }
}

const NO_RULES: SidecarScope['workloadRules'] = new Map();

function findPublicRules(context: RuleContext, services: readonly Service[]): RuleMap {
  const found = new Map<ServiceKey, MeshDestinationRule>();
  for (const service of services) {
    const rule = findPublicRule(context, service);
    if (rule !== undefined) found.set(service.key, rule);
  }
  return found;
}

/** The services whose rule in this namespace may be another than the public one. */
function concerned(context: RuleContext, namespace: string, services: readonly Service[]): readonly Service[] {
  const { rules, rootNamespace } = context;
  if (namespace === rootNamespace || namespacesNamed(rules).has(namespace)) return services;
  const own = rules.get(namespace);
  if (own === undefined) return [];
  const hosts = exactHosts(own);
  if (hosts === undefined) return services;
  const byHostname = indexServices(services);
  return [...hosts].flatMap((host) => byHostname.get(host) ?? []);
}

const indexServices = memoByIdentity((services: readonly Service[]) =>
  Map.groupBy(services, ({ hostname }) => hostname),
);

function keepRules(before: ScopedRules, built: ScopedRules): ScopedRules {
  const rules = {
    destinationRules: sameRules(before.destinationRules, built.destinationRules)
      ? before.destinationRules
      : built.destinationRules,
    workloadRules: sameWorkloadRules(before.workloadRules, built.workloadRules)
      ? before.workloadRules
      : built.workloadRules,
  };
  return sameFields(before, rules) ? before : rules;
}

const sameRules = rememberingCompare<RuleMap>((a, b) => sameEntries(a, b, Object.is));
const sameWorkloadRules = rememberingCompare<SidecarScope['workloadRules']>((a, b) => sameEntries(a, b, sameItems));

function sameEntries<V>(
  a: ReadonlyMap<ServiceKey, V>,
  b: ReadonlyMap<ServiceKey, V>,
  isSame: (a: V, b: V) => boolean,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of b) {
    const known = a.get(key);
    if (known === undefined || !isSame(known, value)) return false;
  }
  return true;
}
