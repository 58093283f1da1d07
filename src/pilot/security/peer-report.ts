import { sortedEntries } from '../../kit/order.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import type { Service } from '../../model/service.ts';
import type { MeshCode } from '../registry/codes.ts';
import { diagnose } from '../registry/diagnose.ts';
import { compareAge } from '../registry/order.ts';
import { type ClassicTarget, classicNamespaces, isPort } from './classic-peer.ts';
import { isForWorkloads } from './peer-rules.ts';

type PeerAuthentication = ConfigObject<'PeerAuthentication'>;
type ReportInputs = Pick<MeshSecurity, 'PeerAuthentication' | 'Policy' | 'MeshPolicy' | 'rootNamespace'> & {
  readonly services: readonly Service[];
};

/** Which policies for mutual TLS decide nothing, for their owners. */
export function reportPeers(inputs: ReportInputs): readonly Diagnostic[] {
  const oldestFirst = inputs.PeerAuthentication.toSorted(compareAge);
  return [...tellYounger(oldestFirst), ...tellClassic(inputs, oldestFirst), ...tellTargets(inputs)];
}

/** Of those with one reach the oldest counts. */
function tellYounger(oldestFirst: readonly PeerAuthentication[]): readonly Diagnostic[] {
  const groups = Map.groupBy(oldestFirst, ({ meta, spec }) =>
    JSON.stringify([meta.namespace, sortedEntries(spec.selector?.matchLabels ?? {})]),
  );
  return [...groups.values()].flatMap(([winner, ...losers]) =>
    winner === undefined ? [] : losers.map((loser) => tellLoser(loser, winner)),
  );
}

function tellLoser(loser: PeerAuthentication, winner: PeerAuthentication): Diagnostic {
  const reach = isForWorkloads(loser) ? 'the same workloads' : `the whole namespace ${loser.meta.namespace}`;
  return tell(
    loser,
    ['spec', 'mtls'],
    `${renderRef(refOf(winner))} is for ${reach} too, and older, so it alone counts`,
  );
}

function tellClassic(
  { Policy, MeshPolicy, rootNamespace }: ReportInputs,
  oldestFirst: readonly PeerAuthentication[],
): readonly Diagnostic[] {
  const whole = new Map<string, PeerAuthentication>();
  for (const rule of oldestFirst) {
    const { namespace } = rule.meta;
    if (!isForWorkloads(rule) && !whole.has(namespace)) whole.set(namespace, rule);
  }
  const says = (namespace: string): PeerAuthentication | undefined => {
    const rule = whole.get(namespace);
    return (rule?.spec.mtls?.mode ?? 'UNSET') === 'UNSET' ? undefined : rule;
  };
  const classic = [
    ...Policy.filter(({ meta }) => meta.name === 'default').map((policy) => ({ policy, at: policy.meta.namespace })),
    ...MeshPolicy.map((policy) => ({ policy, at: rootNamespace })),
  ];
  return classic.flatMap(({ policy, at }) => {
    const winner = says(at);
    if (winner === undefined) return [];
    const message = `${renderRef(refOf(winner))} decides about mutual TLS there, so the peers of this policy do not count`;
    return [tell(policy, ['spec', 'peers'], message)];
  });
}

/** A target that is misspelt protects nobody. */
function tellTargets({ Policy, services }: ReportInputs): readonly Diagnostic[] {
  if (Policy.length === 0) return [];
  const byName = Map.groupBy(services, ({ namespace, name }) => `${namespace}/${name}`);
  return [...classicNamespaces(Policy)].flatMap(([namespace, { targets }]) =>
    targets.flatMap((target) => tellTarget(target, byName.get(`${namespace}/${target.service}`) ?? [])),
  );
}

function tellTarget(
  { policy, index, service, ports }: ClassicTarget,
  found: readonly Service[],
): readonly Diagnostic[] {
  const path = ['spec', 'targets', index];
  if (found.length === 0) {
    const message = `there is no service ${service} in namespace ${policy.meta.namespace}, so the target protects nobody`;
    return [tell(policy, [...path, 'name'], message, 'IST0101')];
  }
  return ports.flatMap((port, at) => {
    if (found.some((one) => one.ports.some((own) => isPort(port, own)))) return [];
    const message = `service ${service} has no port ${port.number ?? port.name ?? ''}, so the target protects nobody`;
    return [tell(policy, [...path, 'ports', at], message, 'IST0101')];
  });
}

type Path = Diagnostic['path'];

function tell(object: ConfigObject, path: Path, message: string, code: MeshCode = 'XEB2008'): Diagnostic {
  return diagnose({ level: 'warning', code, object: refOf(object), path, message });
}
