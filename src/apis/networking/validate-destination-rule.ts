import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { checkDnsLabel, checkLabels, checkSelectorLabels, checkWildcardHost } from '../rules/names.ts';
import { checkUnique } from '../rules/scalars.ts';
import { checkExportTo } from '../rules/visibility.ts';
import { checkTrafficPolicy } from './check-traffic-policy.ts';
import type { DestinationRuleSpec } from './networking.ts';

export function validateDestinationRule(spec: DestinationRuleSpec, { namespace }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const subsets = spec.subsets ?? [];
  checkWildcardHost(field.at('host'), spec.host);
  checkTrafficPolicy(field.at('trafficPolicy'), spec.trafficPolicy);
  for (const [index, subset] of subsets.entries()) {
    const at = field.at('subsets', index);
    checkDnsLabel(at.at('name'), subset.name);
    checkLabels(at.at('labels'), subset.labels);
    checkTrafficPolicy(at.at('trafficPolicy'), subset.trafficPolicy);
  }
  checkUnique(
    subsets,
    ({ name }) => name,
    (index, name) => {
      const at = field.at('subsets', index, 'name');
      at.warn('XEB0303', {
        problem: 'is defined above already; this one is not used',
        got: name,
        fix: 'rename or remove it',
      });
    },
  );
  checkExportTo(field.at('exportTo'), spec.exportTo, { namespace, allowNone: false });
  if (spec.workloadSelector !== undefined) checkWorkloadSelector(field, spec, namespace);
  return issues;
}

function checkWorkloadSelector(field: Field, spec: DestinationRuleSpec, namespace: string): void {
  checkSelectorLabels(field.at('workloadSelector', 'matchLabels'), spec.workloadSelector?.matchLabels);
  for (const [index, entry] of (spec.exportTo ?? []).entries()) {
    if (entry === '.' || entry === namespace) continue;
    const fix = 'export it to . only, or remove the selector';
    field
      .at('exportTo', index)
      .error('XEB0111', { problem: 'leaves the namespace of the selected workloads', got: entry, fix });
  }
}
