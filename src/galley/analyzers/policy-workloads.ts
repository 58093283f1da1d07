import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type AnalysisInputs, type Analyzer, about } from './analyzer.ts';

type PolicyKind = 'AuthorizationPolicy' | 'PeerAuthentication' | 'RequestAuthentication';

/** A policy selects no workload that is known, so it protects nothing. */
export const policyWorkloads: Analyzer = {
  name: 'policy-workloads',
  run: (inputs) => {
    const { AuthorizationPolicy, PeerAuthentication, RequestAuthentication } = inputs.snapshot.objects;
    const policies: readonly ConfigObject<PolicyKind>[] = [
      ...AuthorizationPolicy,
      ...PeerAuthentication,
      ...RequestAuthentication,
    ];
    return inputs.workloads.isEmpty ? [] : policies.flatMap((object) => checkSelector(object, inputs));
  },
};

function checkSelector(
  object: ConfigObject<PolicyKind>,
  { snapshot, workloads }: AnalysisInputs,
): readonly Diagnostic[] {
  const labels = object.spec.selector?.matchLabels ?? {};
  const { namespace } = object.meta;
  // A policy of the root namespace is for the whole mesh.
  const reach = namespace === snapshot.mesh.rootNamespace ? undefined : namespace;
  if (Object.keys(labels).length === 0 || workloads.select(labels, reach).length > 0) return [];
  const wanted = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const where = reach === undefined ? 'in the mesh' : `in namespace ${reach}`;
  const message = `no known workload ${where} has the labels ${wanted.join(', ')}: correct them, or start it`;
  const path = ['spec', 'selector', 'matchLabels'];
  return [about(object, { code: 'IST0127', level: 'warning', path, message })];
}
