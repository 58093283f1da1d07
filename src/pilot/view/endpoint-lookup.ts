import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Endpoint } from '../../model/service.ts';
import type { HeadlessNames } from '../translate/dns/name-table.ts';
import type { HeadlessPort } from '../translate/listener/outbound-plan.ts';
import type { ServiceAtPort } from '../translate/plan.ts';
import { IdentityMemo } from './identity-memo.ts';

const nobody: readonly Endpoint[] = [];

export function endpointsOf(mesh: MeshSnapshot, at: ServiceAtPort): readonly Endpoint[] {
  return mesh.endpoints.get(at.service.key)?.get(at.port.port) ?? nobody;
}

type HeadlessInputs = { readonly at: ServiceAtPort; readonly endpoints: readonly Endpoint[] };

const portMemo = new IdentityMemo<ServiceAtPort, HeadlessInputs, HeadlessPort>(({ at, endpoints }) => ({
  service: at.service.key,
  port: at.port.port,
  addresses: [...new Set(endpoints.map(({ address }) => address))].sort(),
}));

/** The pods behind headless ports: they are dialled by their own addresses. */
export function headlessPorts(mesh: MeshSnapshot, members: readonly ServiceAtPort[]): readonly HeadlessPort[] {
  return members
    .filter(({ service }) => service.headless)
    .map((at) => portMemo.get(at, '', { at, endpoints: endpointsOf(mesh, at) }));
}

const nameMemo = new IdentityMemo<ServiceAtPort, HeadlessInputs, HeadlessNames>(({ at, endpoints }) => ({
  service: at.service,
  pods: endpoints.filter(({ health }) => health === 'healthy').map(({ address, hostname }) => ({ address, hostname })),
}));

/** The pods of headless services, for DNS. Every port of a service has the same pods: its first one speaks for all. */
export function headlessNames(mesh: MeshSnapshot, members: readonly ServiceAtPort[]): readonly HeadlessNames[] {
  return members
    .filter(({ service, port }) => service.headless && port === service.ports[0])
    .map((at) => nameMemo.get(at, '', { at, endpoints: endpointsOf(mesh, at) }));
}
