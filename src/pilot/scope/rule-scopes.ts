import { KeyedMemo, sameFields, sameItems } from '../../kit/memo.ts';
import type { ServiceKey } from '../../model/ids.ts';
import type { MeshDestinationRule } from '../../model/mesh-snapshot.ts';
import type { Service } from '../../model/service.ts';
import { findPublicRule, findRules, hasOwnRule, namespacesNamed, type RuleContext } from './rule-lookup.ts';
import type { SidecarScope } from './scope.ts';

export type RuleInputs = RuleContext & { readonly namespace: string; readonly services: readonly Service[] };

export type ScopedRules = Pick<SidecarScope, 'destinationRules' | 'workloadRules'>;

/** The rules of each scope. Most services have the same public rule everywhere, so that one is looked for once. */
export class RuleScopes {
  readonly #built = new KeyedMemo<string, RuleInputs, ScopedRules>((inputs) => this.#build(inputs));
  readonly #kept = new Map<string, ScopedRules>();
  readonly #publicRules = new KeyedMemo<'', RuleContext, Map<ServiceKey, MeshDestinationRule | undefined>>(
    () => new Map(),
  );

  get(scope: string, inputs: RuleInputs): ScopedRules {
    const before = this.#kept.get(scope);
    const built = this.#built.get(scope, inputs);
    if (built === before) return built;
    const kept = before === undefined ? built : keepRules(before, built);
    this.#kept.set(scope, kept);
    return kept;
  }

  retain(scopes: ReadonlySet<string>): void {
    this.#built.retain(scopes);
    for (const scope of this.#kept.keys()) if (!scopes.has(scope)) this.#kept.delete(scope);
  }

  #build({ rules, rootNamespace, namespace, services }: RuleInputs): ScopedRules {
    const context = { rules, rootNamespace };
    const publicRules = this.#publicRules.get('', context);
    const isNamed = namespace === rootNamespace || namespacesNamed(rules).has(namespace);
    const destinationRules = new Map<ServiceKey, MeshDestinationRule>();
    const workloadRules = new Map<ServiceKey, readonly MeshDestinationRule[]>();
    for (const service of services) {
      if (!isNamed && !hasOwnRule(context, namespace, service)) {
        const rule = findOnce(publicRules, context, service);
        if (rule !== undefined) destinationRules.set(service.key, rule);
        continue;
      }
      const { rule, forWorkloads } = findRules(context, namespace, service);
      if (rule !== undefined) destinationRules.set(service.key, rule);
      if (forWorkloads.length > 0) workloadRules.set(service.key, forWorkloads);
    }
    return { destinationRules, workloadRules };
  }
}

function findOnce(
  known: Map<ServiceKey, MeshDestinationRule | undefined>,
  context: RuleContext,
  service: Service,
): MeshDestinationRule | undefined {
  const rule = known.get(service.key);
  if (rule !== undefined || known.has(service.key)) return rule;
  const found = findPublicRule(context, service);
  known.set(service.key, found);
  return found;
}

function keepRules(before: ScopedRules, built: ScopedRules): ScopedRules {
  const rules = {
    destinationRules: keepMap(before.destinationRules, built.destinationRules, Object.is),
    workloadRules: keepMap(before.workloadRules, built.workloadRules, sameItems),
  };
  return sameFields(before, rules) ? before : rules;
}

function keepMap<V>(
  before: ReadonlyMap<ServiceKey, V>,
  next: ReadonlyMap<ServiceKey, V>,
  isSame: (a: V, b: V) => boolean,
): ReadonlyMap<ServiceKey, V> {
  if (before.size !== next.size) return next;
  for (const [key, value] of next) {
    const known = before.get(key);
    if (known === undefined || !isSame(known, value)) return next;
  }
  return before;
}
