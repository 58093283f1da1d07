import { isWildcard } from '../../../apis/host.ts';
import type {
  CidrRange,
  ConfigListenerFilter,
  FilterChain,
  FilterChainMatch,
  TransportSocket,
} from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type ObjectRef, renderRef } from '../../../model/object.ts';
import type { Origin, ResourceRef } from '../../../xds/resource.ts';
import type { Place } from '../policy/diagnose.ts';
import { configPath, duration, istioMetadata, uint32 } from '../protobuf.ts';
import { diagnoseListener } from './codes.ts';
import { canonicalSubnet } from './subnet.ts';

/** Which connections a filter chain takes. Whatever is empty is not asked for. */
export type ChainMatch = {
  readonly destinationPort?: number;
  readonly subnets?: readonly string[];
  readonly serverNames?: readonly string[];
  readonly transport?: 'tls' | 'raw_buffer';
  readonly protocols?: readonly string[];
};

export type ChainDraft = {
  readonly name?: string;
  readonly match: ChainMatch;
  readonly filters: readonly ConfigListenerFilter[];
  readonly transportSocket?: TransportSocket | undefined;
  readonly needs: readonly ResourceRef[];
  readonly origins: readonly Origin[];
  /** Whom to tell when an earlier chain takes the same connections. */
  readonly place: Place | undefined;
  /** The object whose rule made the chain, for those who read a dump. */
  readonly config?: ObjectRef;
};

export type ChainSet = { readonly chains: readonly ChainDraft[]; readonly diagnostics: readonly Diagnostic[] };

/**
 * Envoy refuses a listener in which two chains take the same connections, whole. So of two the earlier keeps them, the later
 * keeps what is left of it, and its owner is told.
 */
export function mergeChains(drafts: readonly ChainDraft[]): ChainSet {
  const owners = new Map<string, ChainDraft>();
  const chains: ChainDraft[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const draft of drafts) {
    const { rest, lostTo } = withoutTaken(draft, owners);
    if (rest !== undefined) {
      for (const key of keysOf(rest.match)) owners.set(key, rest);
      chains.push(rest);
    }
    const isSaid = lostTo === undefined || draft.place === undefined || isSamePlace(draft.place, lostTo.place);
    if (!isSaid) diagnostics.push(tellLoser(draft.place, lostTo, rest));
  }
  return { chains, diagnostics };
}

/** A rule for several services of one listener is met again with each of them. */
function isSamePlace({ object, path }: Place, other: Place | undefined): boolean {
  return other !== undefined && renderRef(object) === renderRef(other.object) && path === other.path;
}

type Rest = { readonly rest: ChainDraft | undefined; readonly lostTo: ChainDraft | undefined };

function withoutTaken(draft: ChainDraft, owners: ReadonlyMap<string, ChainDraft>): Rest {
  const lostTo = keysOf(draft.match).flatMap((key) => owners.get(key) ?? [])[0];
  if (lostTo === undefined) return { rest: draft, lostTo };
  const isFree = (match: ChainMatch): boolean => keysOf(match).every((key) => !owners.has(key));
  const { serverNames = [], subnets = [] } = draft.match;
  const names = serverNames.filter((name) => isFree({ ...draft.match, serverNames: [name] }));
  if (names.length > 0) return { rest: { ...draft, match: { ...draft.match, serverNames: names } }, lostTo };
  const blocks = serverNames.length > 0 ? [] : subnets.filter((block) => isFree({ ...draft.match, subnets: [block] }));
  if (blocks.length > 0) return { rest: { ...draft, match: { ...draft.match, subnets: blocks } }, lostTo };
  return { rest: undefined, lostTo };
}

function keysOf(match: ChainMatch): readonly string[] {
  const { destinationPort = 0, subnets = [], serverNames = [], transport = '', protocols = [] } = match;
  return orAny(subnets.map(canonicalSubnet)).flatMap((block) =>
    orAny(serverNames).flatMap((name) =>
      orAny(protocols).map((protocol) => [destinationPort, block, name, transport, protocol].join('|')),
    ),
  );
}

function orAny(values: readonly string[]): readonly string[] {
  return values.length === 0 ? [''] : values;
}

function tellLoser(place: Place, winner: ChainDraft, rest: ChainDraft | undefined): Diagnostic {
  const { match, origins } = winner;
  const by = origins[0];
  const owner = by === undefined ? 'the proxy itself' : `${by.kind} ${by.namespace}/${by.name}`;
  const what = rest === undefined ? 'its connections' : 'some of its connections';
  const message = `${what} cannot be told from those of ${owner} (${describeMatch(match)}), which is older and keeps them`;
  return diagnoseListener('warning', 'XEB2302', place, message);
}

function describeMatch({ subnets = [], serverNames = [] }: ChainMatch): string {
  if (serverNames.length > 0) return `server name ${serverNames.join(', ')}`;
  return subnets.length > 0 ? `address ${subnets.join(', ')}` : 'same address and port, no server name';
}

/** Whether every connection that no other chain takes is for this one. */
export function takesAll({
  destinationPort,
  subnets = [],
  serverNames = [],
  transport,
  protocols = [],
}: ChainMatch): boolean {
  const isAny = destinationPort === undefined && transport === undefined;
  return isAny && subnets.length + serverNames.length + protocols.length === 0;
}

export function buildChain(draft: ChainDraft): FilterChain {
  return {
    name: draft.name,
    filterChainMatch: takesAll(draft.match) ? undefined : buildMatch(draft.match),
    filters: draft.filters,
    metadata: draft.config && istioMetadata({ config: configPath(draft.config) }),
    transportSocket: draft.transportSocket,
    // A client that connects and never says hello would keep its connection for good.
    transportSocketConnectTimeout: draft.transportSocket === undefined ? undefined : duration(15_000),
  };
}

function buildMatch(match: ChainMatch): FilterChainMatch {
  return {
    destinationPort: match.destinationPort === undefined ? undefined : uint32(match.destinationPort),
    prefixRanges: match.subnets?.map(buildRange),
    serverNames: match.serverNames,
    transportProtocol: match.transport,
    applicationProtocols: match.protocols,
  };
}

function buildRange(subnet: string): CidrRange {
  const [addressPrefix = '', bits] = canonicalSubnet(subnet).split('/');
  return { addressPrefix, prefixLen: uint32(Number(bits)) };
}

/** Server names as Envoy matches them: none for `*`, which takes them all. Other partial wildcards it refuses. */
export function serverNamesOf(hosts: readonly string[]): {
  readonly names: readonly string[];
  readonly unusable: readonly string[];
} {
  if (hosts.includes('*')) return { names: [], unusable: [] };
  const lower = [...new Set(hosts.map((host) => host.toLowerCase()))];
  const isUsable = (host: string): boolean => !isWildcard(host) || host.startsWith('*.');
  return { names: lower.filter(isUsable), unusable: lower.filter((host) => !isUsable(host)) };
}
