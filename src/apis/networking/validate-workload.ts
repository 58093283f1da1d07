import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkLabels } from '../rules/names.ts';
import { checkEndpoint } from './check-endpoint.ts';
import { checkProbe } from './check-probe.ts';
import type { WorkloadEntrySpec, WorkloadGroupSpec } from './networking.ts';

/** Whether the address will be resolved is decided by the ServiceEntry that selects it, so a host name may stand. */
export function validateWorkloadEntry(spec: WorkloadEntrySpec): readonly Issue[] {
  const issues: Issue[] = [];
  checkEndpoint(Field.top(issues, 'spec'), spec, { hostNames: true, sockets: true, portNames: undefined });
  return issues;
}

/** The template is completed when a workload registers, so its address is not asked for. */
export function validateWorkloadGroup(spec: WorkloadGroupSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkLabels(field.at('metadata', 'labels'), spec.metadata?.labels);
  checkLabels(field.at('template', 'labels'), spec.template.labels);
  if (spec.probe !== undefined) checkProbe(field.at('probe'), spec.probe);
  return issues;
}
