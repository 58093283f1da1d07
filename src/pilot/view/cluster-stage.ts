import type { LocalityLbSetting } from '../../apis/networking/networking.ts';
import { memoByIdentity, sameFields } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Endpoint } from '../../model/service.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import { peerRules } from '../security/peer.ts';
import type { PeerRules } from '../security/peer-rules.ts';
import type { ClusterDefaults } from '../translate/cluster/defaults.ts';
import { buildOutboundClusters, type OutboundClusterInputs } from '../translate/cluster/outbound.ts';
import { buildAssignment, clientLabelsOf } from '../translate/endpoint/assignment.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import type { ServiceAtPort } from '../translate/plan.ts';
import { proxylessCluster } from '../translate/proxyless/cluster.ts';
import { encodeBuilt } from './encode.ts';
import { endpointsForClients, type PeerFacts, peerFactsOf } from './endpoint-modes.ts';
import { IdentityMemo } from './identity-memo.ts';
import { keepLists } from './keep-lists.ts';

/** The clusters of one member: the whole service first, then its subsets. */
type MemberClusters = {
  readonly clusters: readonly EncodedResource[];
  /** The subsets (empty name: the whole) whose endpoints are sent as assignments. */
  readonly assigned: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
};

export type ClusterContext = {
  readonly kind: Proxy['kind'];
  /** The folder of the clients' own certificates; empty where they have none. */
  readonly identityFolder: string;
  readonly defaults: ClusterDefaults;
  readonly place: ClientPlace;
  /** Tells places apart in memos that several views share. */
  readonly placeKey: string;
};

const clusterMemo = new IdentityMemo<ServiceAtPort, OutboundClusterInputs, MemberClusters>(buildMemberClusters);

type Peers = PeerFacts & { readonly endpoints: readonly Endpoint[] };

function clustersOf(at: ServiceAtPort, { endpoints, ...peers }: Peers, context: ClusterContext): MemberClusters {
  const { kind, defaults, identityFolder } = context;
  const isDns = at.service.resolution.kind === 'dns';
  const client = isDns && labelsOfPlace(at, defaults.localityLb) !== undefined ? context.place : undefined;
  const who = `${kind} ${identityFolder}`;
  return clusterMemo.get(at, client === undefined ? who : `${who} ${context.placeKey}`, {
    service: at.service,
    port: at.port,
    rule: at.rule,
    dnsEndpoints: isDns ? endpoints : undefined,
    client,
    defaults,
    kind,
    identityFolder,
    ...peers,
  });
}

function buildMemberClusters(inputs: OutboundClusterInputs): MemberClusters {
  const { resources, diagnostics } = buildOutboundClusters(inputs);
  const shown = inputs.kind === 'proxyless' ? resources.map(proxylessCluster) : resources;
  return {
    clusters: shown.map(encodeBuilt),
    assigned: resources.filter(({ needs }) => needs.length > 0).map(({ name }) => name.split('|')[2] ?? ''),
    diagnostics,
  };
}

type AssignmentMemoInputs = {
  readonly at: ServiceAtPort;
  readonly subset: string;
  readonly endpoints: readonly Endpoint[];
  readonly localityLb: LocalityLbSetting | undefined;
  readonly client: ClientPlace | undefined;
};

const assignmentMemo = new IdentityMemo<ServiceAtPort, AssignmentMemoInputs, EncodedResource>(
  ({ at, subset, endpoints, localityLb, client }) =>
    encodeBuilt(buildAssignment({ ...at, subset, endpoints, meshLocalityLb: localityLb, client })),
);

function assignmentOf(
  at: ServiceAtPort,
  subset: string,
  endpoints: readonly Endpoint[],
  { defaults, place, placeKey }: ClusterContext,
): EncodedResource {
  const { localityLb } = defaults;
  const client = placeMatters(at, localityLb, subset) ? place : undefined;
  const subKey = client === undefined ? subset : `${subset} ${placeKey}`;
  return assignmentMemo.get(at, subKey, { at, subset, endpoints, localityLb, client });
}

type PlaceInputs = {
  readonly at: ServiceAtPort;
  readonly subset: string;
  readonly localityLb: LocalityLbSetting | undefined;
};

const placeMemo = new IdentityMemo<ServiceAtPort, PlaceInputs, readonly string[] | undefined>(
  ({ at, subset, localityLb }) => clientLabelsOf({ ...at, subset, meshLocalityLb: localityLb }),
);

function placeLabels(
  at: ServiceAtPort,
  localityLb: LocalityLbSetting | undefined,
  subset: string,
): readonly string[] | undefined {
  return placeMemo.get(at, subset, { at, subset, localityLb });
}

function placeMatters(at: ServiceAtPort, localityLb: LocalityLbSetting | undefined, subset: string): boolean {
  return placeLabels(at, localityLb, subset) !== undefined;
}

/** The labels of a client's place that a member's clusters or assignments depend on; undefined if nothing of its place does. */
export function labelsOfPlace(
  at: ServiceAtPort,
  localityLb: LocalityLbSetting | undefined,
): readonly string[] | undefined {
  const subsets = ['', ...(at.rule?.subsets ?? []).map(({ spec }) => spec.name)];
  const asked = subsets.map((subset) => placeLabels(at, localityLb, subset)).filter((labels) => labels !== undefined);
  return asked.length === 0 ? undefined : asked.flat();
}

export type BuiltMembers = {
  readonly clusters: readonly EncodedResource[];
  readonly assignments: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};

type MemberSources = {
  readonly endpoints: MeshSnapshot['endpoints'];
  readonly rules: PeerRules;
  /** Only where policies name services. */
  readonly targets: MeshSnapshot['targetsByAddress'] | undefined;
  readonly defaults: ClusterDefaults;
};
type SharedMembers = { readonly inputs: MemberSources; readonly built: BuiltMembers };

const sharedMembers = memoByIdentity((_: readonly ServiceAtPort[]) => new Map<string, SharedMembers>());

/**
 * Clusters and assignments of all members; the lists stay the same objects while nothing in them moves. Namespaces that see the same
 * services have one list of members, and share what is built for it.
 */
export function memberResources(
  mesh: MeshSnapshot,
  members: readonly ServiceAtPort[],
  context: ClusterContext,
): BuiltMembers {
  const { kind, defaults, placeKey, identityFolder } = context;
  const shared = sharedMembers(members);
  const key = `${kind} ${identityFolder} ${placeKey}`;
  const known = shared.get(key);
  const inputs = { ...sourcesOf(mesh), defaults };
  if (known !== undefined && sameFields(known.inputs, inputs)) return known.built;
  const built = keepLists(known?.built, buildMembers(mesh, members, context));
  shared.set(key, { inputs, built });
  return built;
}

/** What of the mesh decides about clusters and assignments of members. */
function sourcesOf({ endpoints, security, targetsByAddress }: MeshSnapshot): Omit<MemberSources, 'defaults'> {
  const rules = peerRules(security);
  const asksTargets = rules.namesServices && (rules.mayDisable || rules.mayBeStrict);
  return { endpoints, rules, targets: asksTargets ? targetsByAddress : undefined };
}

function buildMembers(mesh: MeshSnapshot, members: readonly ServiceAtPort[], context: ClusterContext): BuiltMembers {
  const clusters: EncodedResource[] = [];
  const assignments: EncodedResource[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const at of members) {
    const endpoints = endpointsForClients(mesh, at);
    const facts = peerFactsOf(mesh, at, { endpoints, identityFolder: context.identityFolder });
    const built = clustersOf(at, { endpoints, ...facts }, context);
    clusters.push(...built.clusters);
    diagnostics.push(...built.diagnostics);
    for (const subset of built.assigned) assignments.push(assignmentOf(at, subset, endpoints, context));
  }
  return { clusters, assignments, diagnostics };
}
