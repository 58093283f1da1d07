import { isWildcard } from '../../apis/host.ts';
import type { ServiceEntrySpec } from '../../apis/networking/networking.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import type { Resolution, Service, ServicePort } from '../../model/service.ts';
import { diagnose } from './diagnose.ts';
import { buildVisibility } from './export-to.ts';
import { buildAliases, type ServiceContext } from './kubernetes-service.ts';
import { createdAt } from './order.ts';
import { protocolByName } from './protocol.ts';
import type { EntrySource } from './service-source.ts';
import { buildTrafficDistribution, TRAFFIC_DISTRIBUTION } from './traffic-distribution.ts';

/** One or more entries of one host, the oldest first. */
export type EntrySources = readonly [EntrySource, ...(readonly EntrySource[])];

/** The oldest entry says what the service is; others of the same kind add ports, addresses and endpoints. */
export function buildEntryService(sources: EntrySources, context: ServiceContext): Service {
  const [first] = sources;
  const { object, key, hostname } = first;
  const { spec, meta } = object;
  const merged = agreeing(sources);
  return {
    key,
    hostname,
    aliases: buildAliases(context),
    namespace: meta.namespace,
    name: meta.name,
    registry: 'External',
    ports: mergePorts(merged).map(({ servicePort }) => servicePort),
    addresses: addressesOf(merged),
    autoAddresses: context.autoAddress === undefined ? [] : [context.autoAddress],
    resolution: resolutionOf(object),
    headless: false,
    meshExternal: spec.location !== 'MESH_INTERNAL',
    visibility: buildVisibility(spec.exportTo, meta.namespace, context.defaultExportTo),
    labels: meta.labels,
    subjectAltNames: [...new Set(merged.flatMap((source) => source.object.spec.subjectAltNames ?? []))],
    trafficDistribution: buildTrafficDistribution([
      meta.annotations[TRAFFIC_DISTRIBUTION],
      context.namespaceDistribution,
    ]),
    createdAt: createdAt(object),
    origin: refOf(object),
  };
}

/** The entries that are the same kind of thing as the oldest. */
export function agreeing(sources: EntrySources): readonly EntrySource[] {
  return sources.filter((source) => disagreement(sources[0], source) === undefined);
}

/** Whether a host without addresses gets one: it must be a single name whose endpoints are known to somebody. */
export function wantsAutoAddress(sources: EntrySources): boolean {
  const [first] = sources;
  const { kind } = resolutionOf(first.object);
  return (
    !isWildcard(first.hostname) &&
    (kind === 'endpoints' || kind === 'dns') &&
    addressesOf(agreeing(sources)).length === 0
  );
}

export function diagnoseEntries(sources: EntrySources): readonly Diagnostic[] {
  const [first] = sources;
  const differing = sources.flatMap((source) => {
    const field = disagreement(first, source);
    return field === undefined ? [] : [complain(first, source, { path: ['spec', field], what: field })];
  });
  return [...differing, ...mergePorts(agreeing(sources)).flatMap(({ losers }) => losers)];
}

type MergedPort = { readonly servicePort: ServicePort; readonly losers: Diagnostic[] };

/** Of ports with one number the oldest counts. */
function mergePorts(sources: readonly EntrySource[]): readonly MergedPort[] {
  const byNumber = new Map<number, MergedPort & { readonly source: EntrySource }>();
  for (const source of sources) {
    for (const [index, { number, name = '', protocol }] of (source.object.spec.ports ?? []).entries()) {
      if (number === undefined) continue;
      const object = refOf(source.object);
      const servicePort = { name, port: number, protocol: protocolByName(protocol, number), object, index };
      const taken = byNumber.get(number);
      if (taken === undefined) byNumber.set(number, { servicePort, losers: [], source });
      else if (taken.source !== source && taken.servicePort.protocol !== servicePort.protocol) {
        const path = ['spec', 'ports', index, 'protocol'];
        taken.losers.push(complain(taken.source, source, { path, what: `the protocol of port ${number}` }));
      }
    }
  }
  return [...byNumber.values()];
}

function addressesOf(sources: readonly EntrySource[]): readonly string[] {
  return [...new Set(sources.flatMap(({ object }) => object.spec.addresses ?? []))].map(withoutHostBits);
}

/** A block of one address is that address. */
function withoutHostBits(address: string): string {
  if (address.endsWith('/32')) return address.slice(0, -3);
  return address.endsWith('/128') ? address.slice(0, -4) : address;
}

const STRATEGY = 'istio.io/connect-strategy';

function resolutionOf({ spec, meta }: ConfigObject<'ServiceEntry'>): Resolution {
  switch (spec.resolution) {
    case 'STATIC':
      return { kind: 'endpoints' };
    case 'DNS':
      return { kind: 'dns', logical: meta.annotations[STRATEGY] === 'RACE_FIRST_TCP_CONNECT' };
    case 'DNS_ROUND_ROBIN':
      return { kind: 'dns', logical: true };
    case 'DYNAMIC_DNS':
      return { kind: 'dynamic-dns' };
    default:
      return { kind: 'passthrough' };
  }
}

function disagreement(first: EntrySource, other: EntrySource): 'resolution' | 'location' | undefined {
  const [a, b]: readonly ServiceEntrySpec[] = [first.object.spec, other.object.spec];
  if (a === undefined || b === undefined) return undefined;
  if ((a.resolution ?? 'NONE') !== (b.resolution ?? 'NONE')) return 'resolution';
  return (a.location ?? 'MESH_EXTERNAL') === (b.location ?? 'MESH_EXTERNAL') ? undefined : 'location';
}

type Difference = { readonly path: readonly (string | number)[]; readonly what: string };

function complain(winner: EntrySource, loser: EntrySource, { path, what }: Difference): Diagnostic {
  return diagnose({
    level: 'warning',
    code: 'XEB2004',
    object: refOf(loser.object),
    path,
    message: `host ${loser.hostname} is also in the older ${renderRef(refOf(winner.object))}, which sets ${what} otherwise; make them equal, or use another namespace`,
  });
}
