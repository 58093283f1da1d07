import type { Destination } from '../../../apis/networking/networking.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type ClusterName, outboundClusterName } from '../../../model/ids.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { namesOf } from '../../../model/service.ts';
import type { ServiceAtPort } from '../plan.ts';
import { diagnose, type Place } from '../policy/diagnose.ts';
import { type EffectivePolicy, effectivePolicy } from '../policy/effective-policy.ts';

/** Where a route leads: the cluster, also when nothing answers to the name, and what is known about it. */
export type ResolvedDestination = {
  readonly cluster: ClusterName;
  readonly host: string;
  readonly port: number;
  readonly policy: EffectivePolicy;
  /** Whether the server must be told that HTTP is inside mutual TLS: nobody said what the port speaks. */
  readonly isSniffed: boolean;
  /** Whether its endpoint is whatever host the client asks for. */
  readonly dynamic: boolean;
  /** Why the cluster cannot be there, if it cannot. */
  readonly missing: string | undefined;
};

/** The port that is named, else the only one the service has, else the one the client dialled. */
export function resolveDestination(
  { host, subset = '', port }: Destination,
  known: readonly ServiceAtPort[],
  dialled: number,
): ResolvedDestination {
  const members = membersNamed(known, host);
  const hostname = members[0]?.service.hostname ?? host;
  const number = port?.number ?? onlyPort(members) ?? dialled;
  const member = members.find((candidate) => candidate.port.port === number);
  const policy = effectivePolicy(member?.rule, number, subset);
  return {
    cluster: outboundClusterName(number, subset, hostname),
    host: hostname,
    port: number,
    policy,
    isSniffed: member !== undefined && isSniffed(member, policy),
    dynamic: member?.service.resolution.kind === 'dynamic-dns',
    missing: whatIsMissing(members, member, { host: hostname, port: number, subset }),
  };
}

/** Not where TLS is for a server outside the mesh, which has its own idea of what is offered. */
export function isSniffed({ service, port }: ServiceAtPort, { tls }: EffectivePolicy): boolean {
  const isMesh = tls === undefined ? !service.meshExternal : tls.spec.mode === 'ISTIO_MUTUAL';
  return port.protocol === 'auto' && isMesh;
}

function membersNamed(known: readonly ServiceAtPort[], host: string): readonly ServiceAtPort[] {
  const exact = known.filter(({ service }) => service.hostname === host);
  return exact.length > 0 ? exact : known.filter(({ service }) => namesOf(service).includes(host));
}

/** Members by every host name that leads to them. */
export function groupByName(members: readonly ServiceAtPort[]): ReadonlyMap<string, readonly ServiceAtPort[]> {
  const byHost: Map<string, readonly ServiceAtPort[]> = Map.groupBy(members, ({ service }) => service.hostname);
  const aliased = members.filter(({ service }) => service.aliases.length > 0);
  const byName = new Map(byHost);
  for (const at of aliased) {
    for (const { hostname } of at.service.aliases) {
      if (!byHost.has(hostname)) byName.set(hostname, [...(byName.get(hostname) ?? []), at]);
    }
  }
  return aliased.length === 0 ? byHost : byName;
}

function onlyPort(members: readonly ServiceAtPort[]): number | undefined {
  const [first] = members;
  return first !== undefined && first.service.ports.length === 1 ? first.port.port : undefined;
}

type Wanted = { readonly host: string; readonly port: number; readonly subset: string };

function whatIsMissing(
  members: readonly ServiceAtPort[],
  member: ServiceAtPort | undefined,
  { host, port, subset }: Wanted,
): string | undefined {
  if (members.length === 0) return `there is no service ${host} here`;
  if (member === undefined) return `service ${host} has no port ${port}`;
  if (subset === '' || member.rule?.subsets.some(({ spec }) => spec.name === subset) === true) return undefined;
  return `no DestinationRule in force here defines subset ${subset} of ${host}`;
}

/** Requests fail there, but the rule is kept: what is missing may come. */
export function diagnoseDestination({ missing }: ResolvedDestination, place: Place): readonly Diagnostic[] {
  return missing === undefined ? [] : [diagnose('warning', 'IST0101', place, `${missing}; requests to it fail`)];
}

/** Every host that a virtual service leads to, each once. The builder of its routes wants to know their ports and rules. */
export const destinationHosts = memoByIdentity((virtualService: MeshVirtualService): readonly string[] => {
  const hosts = new Set<string>();
  const add = (destination: Destination | undefined): void => {
    if (destination !== undefined) hosts.add(destination.host);
  };
  for (const { spec } of virtualService.http) {
    for (const { destination } of spec.route ?? []) add(destination);
    for (const { destination } of spec.mirrors ?? []) add(destination);
    add(spec.mirror);
  }
  for (const { spec } of [...virtualService.tls, ...virtualService.tcp]) {
    for (const { destination } of spec.route ?? []) add(destination);
  }
  return [...hosts].sort();
});
