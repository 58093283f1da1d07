import { completeHost, isWildcard } from '../../apis/host.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type AnalysisInputs, type Analyzer, about } from './analyzer.ts';

/** A DestinationRule is for a host that is not there, or has a subset without a workload. */
export const destinationRules: Analyzer = {
  name: 'destination-rules',
  run: (inputs) => inputs.snapshot.objects.DestinationRule.flatMap((object) => checkRule(object, inputs)),
};

function checkRule(object: ConfigObject<'DestinationRule'>, inputs: AnalysisInputs): readonly Diagnostic[] {
  const host = completeHost(object.spec.host, object.meta.namespace, inputs.domain).toLowerCase();
  if (isWildcard(host)) return [];
  const known = inputs.hosts.find(host);
  if (inputs.hosts.lacks(host)) {
    const message = `there is no host ${host}: ${inputs.hosts.hintFor(host)}`;
    return [about(object, { code: 'IST0174', level: 'warning', path: ['spec', 'host'], message })];
  }
  const service = known.map((one) => one.object).find((candidate) => candidate.kind === 'Service');
  return service === undefined ? [] : emptySubsets(object, service, inputs);
}

function emptySubsets(
  object: ConfigObject<'DestinationRule'>,
  service: ConfigObject<'Service'>,
  { workloads }: AnalysisInputs,
): readonly Diagnostic[] {
  const { selector } = service.spec;
  const isSelecting = Object.keys(selector).length > 0 && workloads.select(selector, service.meta.namespace).length > 0;
  if (!isSelecting) return [];
  return (object.spec.subsets ?? []).flatMap(({ name, labels }, index) => {
    if (workloads.select({ ...labels, ...selector }, service.meta.namespace).length > 0) return [];
    const wanted = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
    const message = `subset ${name} is empty: no workload of Service ${service.meta.name} has the labels ${wanted.join(', ')}: correct them, or remove the subset`;
    return [about(object, { code: 'IST0173', level: 'error', path: ['spec', 'subsets', index], message })];
  });
}
