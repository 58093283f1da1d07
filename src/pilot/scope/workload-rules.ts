import { memoByIdentity } from '../../kit/memo.ts';
import { selects } from '../registry/label-index.ts';
import type { SidecarScope } from './scope.ts';

const overlaid = memoByIdentity((_: SidecarScope) => new Map<string, SidecarScope['destinationRules']>());

/**
 * The rule for each service, for a workload with these labels. Workloads for which the same rules are chosen share one map, and
 * where no rule chooses workloads it is the scope's own.
 */
export function destinationRulesFor(
  scope: SidecarScope,
  labels: Readonly<Record<string, string>>,
): SidecarScope['destinationRules'] {
  const chosen = [...scope.workloadRules].flatMap(([key, rules]) => {
    const index = rules.findIndex(({ workloadSelector }) => selects(workloadSelector?.matchLabels ?? {}, labels));
    const rule = rules[index];
    return rule === undefined ? [] : [{ key, rule, name: `${key} ${index}` }];
  });
  if (chosen.length === 0) return scope.destinationRules;
  const signature = chosen.map(({ name }) => name).join('\n');
  const known = overlaid(scope).get(signature);
  if (known !== undefined) return known;
  const rules = new Map(scope.destinationRules);
  for (const { key, rule } of chosen) rules.set(key, rule);
  overlaid(scope).set(signature, rules);
  return rules;
}
