import { memoByIdentity } from '../../kit/memo.ts';
import type { ServiceKey } from '../../model/ids.ts';
import type { MeshDestinationRule } from '../../model/mesh-snapshot.ts';
import type { Service, ServicePort } from '../../model/service.ts';
import type { ServiceAtPort } from '../translate/plan.ts';
import { IdentityMemo } from './identity-memo.ts';

export type Rules = ReadonlyMap<ServiceKey, MeshDestinationRule>;

type MemberInputs = {
  readonly service: Service;
  readonly port: ServicePort;
  readonly rule: MeshDestinationRule | undefined;
};

/** Every view of the process shares these records: while neither the service nor its rule moves, a member is the same object. */
const memberMemo = new IdentityMemo<Service, MemberInputs, ServiceAtPort>((inputs) => inputs);

export function memberOf(service: Service, port: ServicePort, rule: MeshDestinationRule | undefined): ServiceAtPort {
  const subKey =
    rule === undefined ? `${port.port}` : `${port.port} ${rule.namespace} ${rule.host} ${selectorKey(rule)}`;
  return memberMemo.get(service, subKey, { service, port, rule });
}

const membersByRules = memoByIdentity((services: readonly Service[]) =>
  memoByIdentity((rules: Rules): readonly ServiceAtPort[] =>
    services.flatMap((service) => {
      const rule = rules.get(service.key);
      return service.ports.map((port) => memberOf(service, port, rule));
    }),
  ),
);

/** Every port of every service. Who sees the same services with the same rules has the same list. */
export function membersOf(services: readonly Service[], rules: Rules): readonly ServiceAtPort[] {
  return membersByRules(services)(rules);
}

function selectorKey({ workloadSelector }: MeshDestinationRule): string {
  return workloadSelector === undefined ? '' : JSON.stringify(workloadSelector);
}
