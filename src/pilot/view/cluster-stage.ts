import type { LocalityLbSetting } from '../../apis/networking/networking.ts';
import { memoByIdentity, sameFields } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { SecretBook } from '../../model/gateway-secret.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Endpoint } from '../../model/service.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import { peerRules } from '../security/peer.ts';
import type { PeerRules } from '../security/peer-rules.ts';
import { ASSIGNMENT_URL } from '../translate/built.ts';
import type { ClusterDefaults } from '../translate/cluster/defaults.ts';
import { buildOutboundClusters, type OutboundClusterInputs } from '../translate/cluster/outbound.ts';
import { buildAssignment, clientLabelsOf } from '../translate/endpoint/assignment.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import type { ServiceAtPort } from '../translate/plan.ts';
import { proxylessCluster } from '../translate/proxyless/cluster.ts';
import { type ClientOwner, credentialSite, nameSecrets, ownerKey } from './client-credentials.ts';
import { encodeBuilt } from './encode.ts';
import { endpointsOf } from './endpoint-lookup.ts';
import { asksForTls, endpointsForClients, type PeerFacts, peerFactsOf } from './endpoint-modes.ts';
import { IdentityMemo } from './identity-memo.ts';
import { keepLists } from './keep-lists.ts';

/** The clusters of one member: the whole service first, then its subsets. */
type MemberClusters = {
  readonly clusters: readonly EncodedResource[];
  /** The subsets (empty name: the whole) whose endpoints are sent as assignments. */
  readonly assigned: readonly string[];
  readonly secrets: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};

export type ClusterContext = {
  readonly kind: Proxy['kind'];
  /** The folder of the clients' own certificates; empty where they have none. */
  readonly identityFolder: string;
  readonly defaults: ClusterDefaults;
  readonly owner: ClientOwner;
  readonly place: ClientPlace;
  /** Tells places apart in memos that several views share. */
  readonly placeKey: string;
};

const clusterMemo = new IdentityMemo<ServiceAtPort, OutboundClusterInputs, MemberClusters>(buildMemberClusters);

type Peers = PeerFacts & { readonly endpoints: readonly Endpoint[] };

function clustersOf(
  at: ServiceAtPort,
  { endpoints, ...peers }: Peers,
  context: ClusterContext & { readonly book: SecretBook },
): MemberClusters {
  const { kind, defaults, identityFolder } = context;
  const isDns = at.service.resolution.kind === 'dns';
  const client = isDns && labelsOfPlace(at, defaults.localityLb) !== undefined ? context.place : undefined;
  const credentials = credentialSite(at, context);
  const who = `${kind} ${identityFolder} ${credentials === undefined ? '' : ownerKey(context.owner)}`;
  return clusterMemo.get(at, client === undefined ? who : `${who} ${context.placeKey}`, {
    service: at.service,
    port: at.port,
    rule: at.rule,
    dnsEndpoints: isDns ? endpoints : undefined,
    client,
    defaults,
    kind,
    identityFolder,
    credentials,
    ...peers,
  });
}

function buildMemberClusters(inputs: OutboundClusterInputs): MemberClusters {
  const { resources, secrets, diagnostics } = buildOutboundClusters(inputs);
  const shown = inputs.kind === 'proxyless' ? resources.map(proxylessCluster) : resources;
  return {
    clusters: shown.map(encodeBuilt),
    assigned: resources
      .filter(({ needs }) => needs.some(({ typeUrl }) => typeUrl === ASSIGNMENT_URL))
      .map(({ name }) => name.split('|')[2] ?? ''),
    secrets: secrets.map(encodeBuilt),
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
  /** What clients show, and whom they trust, from Secrets. */
  readonly secrets: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};

type MemberSources = {
  readonly endpoints: MeshSnapshot['endpoints'];
  /** Only where some port may take no mutual TLS. */
  readonly disabling: PeerRules | undefined;
  /** Only where some port may take nothing else, and then only for those whose rules say something about TLS. */
  readonly demanding: PeerRules | undefined;
  /** Only where policies name services. */
  readonly targets: MeshSnapshot['targetsByAddress'] | undefined;
  /** Only where rules name Secrets. */
  readonly secrets: SecretBook | undefined;
  readonly defaults: ClusterDefaults;
};
/** What one member came to, and of which endpoints. */
type MemberBuilt = {
  readonly endpoints: readonly Endpoint[];
  readonly own: MemberClusters;
  readonly assignments: readonly EncodedResource[];
};

type SharedMembers = {
  readonly inputs: MemberSources;
  /** In the order of the members. */
  readonly each: readonly MemberBuilt[];
  readonly built: BuiltMembers;
};

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
  const { kind, defaults, placeKey, identityFolder, owner } = context;
  const shared = sharedMembers(members);
  const asksSecrets = nameSecrets(members);
  const key = `${kind} ${identityFolder} ${placeKey} ${asksSecrets ? ownerKey(owner) : ''}`;
  const known = shared.get(key);
  const inputs = { ...sourcesOf(mesh), secrets: asksSecrets ? mesh.secrets : undefined, defaults };
  if (known !== undefined && sameFields(known.inputs, inputs)) return known.built;
  const each = buildEach(mesh, members, context, stillGood(known, inputs));
  const built = keepLists(known?.built, joinMembers(each));
  shared.set(key, { inputs, each, built });
  return built;
}

/** What of the mesh decides about clusters and assignments of members. */
function sourcesOf({
  endpoints,
  security,
  targetsByAddress,
}: MeshSnapshot): Omit<MemberSources, 'defaults' | 'secrets'> {
  const rules = peerRules(security);
  const asksTargets = rules.namesServices && (rules.mayDisable || rules.mayBeStrict);
  return {
    endpoints,
    disabling: rules.mayDisable ? rules : undefined,
    demanding: rules.mayBeStrict ? rules : undefined,
    targets: asksTargets ? targetsByAddress : undefined,
  };
}

/** Which of the members' results hold as long as their own endpoints do: most changes are about endpoints, and of few members. */
function stillGood(
  known: SharedMembers | undefined,
  inputs: MemberSources,
): (at: ServiceAtPort, index: number) => MemberBuilt | undefined {
  if (known === undefined) return () => undefined;
  const { endpoints, demanding } = known.inputs;
  if (!sameFields(known.inputs, { ...inputs, endpoints, demanding })) return () => undefined;
  const isAsDemanding = demanding === inputs.demanding;
  return ({ rule }, index) => (isAsDemanding || !asksForTls(rule) ? known.each[index] : undefined);
}

function buildEach(
  mesh: MeshSnapshot,
  members: readonly ServiceAtPort[],
  context: ClusterContext,
  stillGoodOf: ReturnType<typeof stillGood>,
): readonly MemberBuilt[] {
  const asking = { ...context, book: mesh.secrets };
  return members.map((at, index) => {
    const listed = endpointsOf(mesh, at);
    const before = stillGoodOf(at, index);
    if (before?.endpoints === listed) return before;
    const endpoints = endpointsForClients(mesh, at);
    const facts = peerFactsOf(mesh, at, { endpoints, identityFolder: context.identityFolder });
    const own = clustersOf(at, { endpoints, ...facts }, asking);
    const assignments = own.assigned.map((subset) => assignmentOf(at, subset, endpoints, context));
    return { endpoints: listed, own, assignments };
  });
}

function joinMembers(each: readonly MemberBuilt[]): BuiltMembers {
  return {
    clusters: each.flatMap(({ own }) => own.clusters),
    assignments: each.flatMap(({ assignments }) => assignments),
    secrets: each.flatMap(({ own }) => own.secrets),
    diagnostics: each.flatMap(({ own }) => own.diagnostics),
  };
}
