import type { Subset } from '../../apis/networking/networking.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshDestinationRule, Traced } from '../../model/mesh-snapshot.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import { isVisibleIn, type Visibility } from '../../model/service.ts';
import { diagnose } from '../registry/diagnose.ts';

type Rule = { readonly object: ConfigObject<'DestinationRule'>; readonly visibility: Visibility };

export type MergeInputs = {
  /** Complete and lower case. */
  readonly host: string;
  /** The rules of one namespace for this host, with one workload selector or none; oldest first. */
  readonly rules: readonly Rule[];
};

export type Merged = { readonly rules: readonly MeshDestinationRule[]; readonly diagnostics: readonly Diagnostic[] };

/**
 * Namespaces may see different ones of the rules, and each sees the merge of those. So there is one merged rule per set of
 * rules that somebody sees together; the one that everybody else sees comes last.
 */
export function mergeDestinationRules({ host, rules }: MergeInputs): Merged {
  const merged = audiencesOf(rules).map(({ seen, visibility }) => mergeSeen(host, seen, visibility));
  return { rules: merged.flatMap(({ rule }) => rule), diagnostics: merged.flatMap(({ diagnostics }) => diagnostics) };
}

type Audience = { readonly seen: readonly Rule[]; readonly visibility: Visibility };

function audiencesOf(rules: readonly Rule[]): readonly Audience[] {
  const everywhere = rules.filter(({ visibility }) => visibility.kind === 'public');
  const named = rules.flatMap(({ visibility }) => (visibility.kind === 'public' ? [] : [...visibility.namespaces]));
  const bySeen = new Map<string, { readonly seen: readonly Rule[]; readonly namespaces: Set<string> }>();
  for (const namespace of [...new Set(named)].sort()) {
    const seen = rules.filter(({ visibility }) => isVisibleIn(visibility, namespace));
    if (seen.length === everywhere.length) continue;
    const signature = seen.map((rule) => rules.indexOf(rule)).join();
    const known = bySeen.get(signature);
    if (known === undefined) bySeen.set(signature, { seen, namespaces: new Set([namespace]) });
    else known.namespaces.add(namespace);
  }
  const audiences = [...bySeen.values()].map(
    ({ seen, namespaces }): Audience => ({ seen, visibility: { kind: 'namespaces', namespaces } }),
  );
  return everywhere.length === 0 ? audiences : [...audiences, { seen: everywhere, visibility: { kind: 'public' } }];
}

/** The oldest policy wins as a whole, subsets add up. */
function mergeSeen(
  host: string,
  seen: readonly Rule[],
  visibility: Visibility,
): { readonly rule: MeshDestinationRule; readonly diagnostics: readonly Diagnostic[] } {
  const subsets = new Map<string, Traced<Subset>>();
  const diagnostics: Diagnostic[] = [];
  const policies = seen.filter(({ object }) => object.spec.trafficPolicy !== undefined);
  const [first, ...unused] = policies;
  for (const { object } of unused) if (first !== undefined) diagnostics.push(complainOfPolicy(object, first.object));
  for (const { object } of seen) {
    for (const [index, spec] of (object.spec.subsets ?? []).entries()) {
      const known = subsets.get(spec.name);
      if (known === undefined) subsets.set(spec.name, { spec, object: refOf(object), path: `spec.subsets[${index}]` });
      else diagnostics.push(complainOfSubset(object, index, known));
    }
  }
  const rule = {
    host,
    namespace: seen[0]?.object.meta.namespace ?? '',
    trafficPolicy: first === undefined ? undefined : policyOf(first.object),
    subsets: [...subsets.values()],
    workloadSelector: seen[0]?.object.spec.workloadSelector,
    visibility,
    origins: seen.map(({ object }) => refOf(object)),
  };
  return { rule, diagnostics };
}

function policyOf(object: ConfigObject<'DestinationRule'>): MeshDestinationRule['trafficPolicy'] {
  const { trafficPolicy: spec } = object.spec;
  return spec === undefined ? undefined : { spec, object: refOf(object), path: 'spec.trafficPolicy' };
}

function complainOfPolicy(loser: ConfigObject<'DestinationRule'>, winner: ConfigObject<'DestinationRule'>): Diagnostic {
  return diagnose({
    level: 'warning',
    code: 'XEB2003',
    object: refOf(loser),
    path: ['spec', 'trafficPolicy'],
    message: `the older ${renderRef(refOf(winner))} sets the traffic policy of host ${winner.spec.host}; put both into one rule`,
  });
}

function complainOfSubset(loser: ConfigObject<'DestinationRule'>, index: number, winner: Traced<Subset>): Diagnostic {
  return diagnose({
    level: 'warning',
    code: 'XEB0303',
    object: refOf(loser),
    path: ['spec', 'subsets', index, 'name'],
    message: `subset ${winner.spec.name} is already defined by ${renderRef(winner.object)}, which is used; rename one of them`,
  });
}
