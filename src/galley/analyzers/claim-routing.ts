import { parseClaimName } from '../../apis/rules/claim-name.ts';
import { isGatewayRef } from '../../apis/rules/visibility.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type AnalysisInputs, type Analyzer, about } from './analyzer.ts';
import { qualifyGateway } from './gateway-references.ts';

/** A VirtualService routes by claims at a gateway that looks at no tokens, so no claim is ever known there. */
export const claimRouting: Analyzer = {
  name: 'claim-routing',
  run: (inputs) => {
    const { objects } = inputs.snapshot;
    // Classic policies may be about tokens too, and are found by services.
    if (inputs.workloads.isEmpty || objects.Policy.length + objects.MeshPolicy.length > 0) return [];
    return objects.VirtualService.flatMap((object) => checkClaims(object, inputs));
  },
};

function checkClaims(object: ConfigObject<'VirtualService'>, inputs: AnalysisInputs): readonly Diagnostic[] {
  const [place] = placesOfClaims(object);
  if (place === undefined) return [];
  const names = (object.spec.gateways ?? []).filter((gateway) => gateway !== 'mesh' && isGatewayRef(gateway));
  const wanted = new Set(names.map((gateway) => qualifyGateway(gateway, object.meta.namespace)));
  const gateways = inputs.snapshot.objects.Gateway.filter(({ meta }) => wanted.has(`${meta.namespace}/${meta.name}`));
  const blind = gateways.filter((gateway) => isServed(gateway, inputs) && !looksAtTokens(gateway, inputs));
  return blind.map(({ meta }) => {
    const message = `matches a JWT claim, but no RequestAuthentication is for the workloads of Gateway ${meta.namespace}/${meta.name}: add one, or no claim is ever known there`;
    return about(object, { code: 'IST0149', level: 'error', path: place, message });
  });
}

function placesOfClaims({ spec }: ConfigObject<'VirtualService'>): readonly Diagnostic['path'][] {
  return (spec.http ?? []).flatMap(({ match = [] }, route) =>
    match.flatMap((one, index) =>
      (['headers', 'withoutHeaders'] as const).flatMap((field) =>
        Object.keys(one[field] ?? {})
          .filter((name) => parseClaimName(name) !== undefined)
          .map((name) => ['spec', 'http', route, 'match', index, field, name]),
      ),
    ),
  );
}

function isServed({ spec }: ConfigObject<'Gateway'>, { workloads }: AnalysisInputs): boolean {
  return workloads.select(spec.selector ?? {}).length > 0;
}

function looksAtTokens({ spec }: ConfigObject<'Gateway'>, { snapshot, workloads }: AnalysisInputs): boolean {
  return snapshot.objects.RequestAuthentication.some(({ meta, spec: { selector, targetRef, targetRefs = [] } }) => {
    if (targetRef !== undefined || targetRefs.length > 0) return true;
    const reach = meta.namespace === snapshot.mesh.rootNamespace ? undefined : meta.namespace;
    const labels = selector?.matchLabels ?? {};
    const found = workloads.select({ ...labels, ...spec.selector }, reach);
    return found.some((workload) => Object.entries(labels).every(([key, value]) => workload[key] === value));
  });
}
