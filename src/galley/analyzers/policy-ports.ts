import type { Issue } from '../../apis/issue.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import { type AnalysisInputs, type Analyzer, about } from './analyzer.ts';

type PolicyKind = 'AuthorizationPolicy' | 'PeerAuthentication';
type Service = ConfigObject<'Service'>;
type NamedPort = { readonly path: Issue['path']; readonly port: number };

/** A policy names the port of a Service, and its workloads listen on another: it is about nothing then, also where it should refuse. */
export const policyPorts: Analyzer = {
  name: 'policy-ports',
  run: (inputs) => {
    const { AuthorizationPolicy, PeerAuthentication } = inputs.snapshot.objects;
    return [
      ...AuthorizationPolicy.flatMap((object) => checkPorts(object, accessPorts(object), inputs)),
      ...PeerAuthentication.flatMap((object) => checkPorts(object, peerPorts(object), inputs)),
    ];
  },
};

function peerPorts({ spec }: ConfigObject<'PeerAuthentication'>): readonly NamedPort[] {
  return Object.keys(spec.portLevelMtls ?? {}).map((port) => ({
    path: ['spec', 'portLevelMtls', port],
    port: Number(port),
  }));
}

function accessPorts({ spec }: ConfigObject<'AuthorizationPolicy'>): readonly NamedPort[] {
  return (spec.rules ?? []).flatMap(({ to = [], when = [] }, rule) => [
    ...to.flatMap(({ operation }, index) =>
      (['ports', 'notPorts'] as const).flatMap((field) =>
        (operation?.[field] ?? []).map((text, at): NamedPort => {
          return { path: ['spec', 'rules', rule, 'to', index, 'operation', field, at], port: Number(text) };
        }),
      ),
    ),
    ...when.flatMap(({ key, values = [] }, index) =>
      (key === 'destination.port' ? values : []).map((text, at): NamedPort => {
        return { path: ['spec', 'rules', rule, 'when', index, 'values', at], port: Number(text) };
      }),
    ),
  ]);
}

function checkPorts(
  object: ConfigObject<PolicyKind>,
  named: readonly NamedPort[],
  inputs: AnalysisInputs,
): readonly Diagnostic[] {
  if (named.length === 0) return [];
  const services = servicesOf(object, inputs);
  return named.flatMap(({ path, port }) => {
    const all = services.flatMap((service) => service.spec.ports.map((one) => ({ service, ...one })));
    // A target with a name may be any port.
    if (all.some(({ targetPort }) => targetPort === port || typeof targetPort === 'string')) return [];
    const found = all.find((one) => one.port === port);
    if (found === undefined) return [];
    const message = `policies are about ports of workloads, and ${port} is one of ${renderRef(refOf(found.service))}, whose workloads listen on ${found.targetPort}: write ${found.targetPort}`;
    return [about(object, { code: 'XEB1105', level: 'warning', path, message })];
  });
}

/** The Services of the workloads that a policy is for. */
function servicesOf(
  { meta, spec }: ConfigObject<PolicyKind>,
  { snapshot, workloads }: AnalysisInputs,
): readonly Service[] {
  const reach = meta.namespace === snapshot.mesh.rootNamespace ? undefined : meta.namespace;
  const labels = spec.selector?.matchLabels ?? {};
  // What is for the whole mesh is about all sorts of workloads.
  if (reach === undefined && Object.keys(labels).length === 0) return [];
  const chosen = workloads.select(labels, reach);
  return snapshot.objects.Service.filter(({ meta: { namespace }, spec: { selector } }) => {
    const wanted = Object.entries(selector);
    if (wanted.length === 0 || (reach !== undefined && namespace !== reach)) return false;
    return chosen.some((own) => wanted.every(([key, value]) => own[key] === value));
  });
}
