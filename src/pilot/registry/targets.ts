import type { ServiceSpecPort } from '../../apis/kubernetes/service.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ServiceEndpoints } from '../../model/mesh-snapshot.ts';
import { renderRef } from '../../model/object.ts';
import type { Service, ServicePort, ServiceTarget } from '../../model/service.ts';
import { diagnose } from './diagnose.ts';
import { compareServices } from './order.ts';
import type { ServiceSource } from './service-source.ts';
import type { WorkloadInfo } from './workload.ts';
import { entryTargetPort, kubernetesTargetPort } from './workload-endpoints.ts';

export type TargetInputs = {
  readonly address: string;
  /** Who answers there, if known. */
  readonly workload: WorkloadInfo | undefined;
  /** What selects the workload by its labels. */
  readonly selecting: readonly { readonly source: ServiceSource; readonly service: Service }[];
  /** Services that list the address by hand. */
  readonly listing: readonly { readonly service: Service; readonly endpoints: ServiceEndpoints }[];
};

/** What the workload at an address serves, ready or not: oldest service first, each in the order of its ports. */
export function buildTargets({ address, workload, selecting, listing }: TargetInputs): readonly ServiceTarget[] {
  const targets: ServiceTarget[] = [];
  if (workload !== undefined) {
    for (const { source, service } of selecting) targets.push(...selectedTargets(source, service, workload));
  }
  for (const { service, endpoints } of listing) targets.push(...listedTargets(service, endpoints, address));
  return unique(targets.sort((a, b) => compareServices(a.service, b.service) || portOrder(a) - portOrder(b)));
}

function selectedTargets(source: ServiceSource, service: Service, workload: WorkloadInfo): readonly ServiceTarget[] {
  return proxiedPorts(service).flatMap((port) => {
    const targetPort = targetPortOf(source, port, workload);
    return targetPort === undefined ? [] : [{ service, port, targetPort }];
  });
}

function targetPortOf(source: ServiceSource, { port }: ServicePort, workload: WorkloadInfo): number | undefined {
  if (source.kind === 'kubernetes') {
    const specPort: ServiceSpecPort | undefined = source.object.spec.ports.find(
      (candidate) => candidate.port === port && candidate.protocol === 'TCP',
    );
    return specPort === undefined ? undefined : kubernetesTargetPort(specPort, workload);
  }
  const entryPort = (source.object.spec.ports ?? []).find(({ number }) => number === port);
  return entryPort === undefined
    ? undefined
    : entryTargetPort(entryPort, workload.isPod ? new Map() : workload.namedPorts);
}

function listedTargets(service: Service, endpoints: ServiceEndpoints, address: string): readonly ServiceTarget[] {
  return proxiedPorts(service).flatMap((port) =>
    (endpoints.get(port.port) ?? [])
      .filter((endpoint) => endpoint.address === address)
      .map((endpoint) => ({ service, port, targetPort: endpoint.port })),
  );
}

function proxiedPorts(service: Service): readonly ServicePort[] {
  return service.ports.filter(({ protocol }) => protocol !== 'UDP');
}

function portOrder({ service, port }: ServiceTarget): number {
  return service.ports.indexOf(port);
}

function unique(targets: readonly ServiceTarget[]): readonly ServiceTarget[] {
  const seen = new Set<string>();
  return targets.filter(({ service, port }) => {
    const place = `${service.key}|${port.port}`;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

/** Services that want a port of the workload served otherwise than the oldest one does. */
export function diagnoseTargets(targets: readonly ServiceTarget[]): readonly Diagnostic[] {
  const winners = new Map<number, ServiceTarget>();
  return targets.flatMap((target) => {
    const winner = winners.get(target.targetPort);
    if (winner === undefined) winners.set(target.targetPort, target);
    return winner === undefined || winner.port.protocol === target.port.protocol ? [] : [complain(target, winner)];
  });
}

function complain(loser: ServiceTarget, winner: ServiceTarget): Diagnostic {
  const [lost, kept] = [loser, winner].map(
    ({ service, port }) => `port ${port.port} (${port.protocol}) of ${renderRef(service.origin)}`,
  );
  return diagnose({
    level: 'warning',
    code: 'IST0116',
    object: loser.port.object,
    path: ['spec', 'ports', loser.port.index],
    message: `${lost} and ${kept} lead to port ${loser.targetPort} of the same workloads; the older decides, so give both the same protocol`,
  });
}
