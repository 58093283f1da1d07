import { nearest } from '../../apis/schema/words.ts';

/** What is known about kinds: apiVersions with their kinds, as the collection table has them. */
export type KnownKinds = readonly {
  readonly kind: string;
  readonly group: string;
  readonly versions: readonly string[];
}[];

export type Foreign =
  /** A kind that has nothing to do with the mesh. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unread'; readonly level: 'error' | 'warning' | 'info'; readonly message: string };

const coreKinds: readonly string[] = [
  'Binding',
  'ComponentStatus',
  'Event',
  'LimitRange',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodTemplate',
  'ReplicationController',
  'ResourceQuota',
];
const appsKinds: readonly string[] = ['ControllerRevision', 'DaemonSet', 'ReplicaSet', 'StatefulSet'];
const localKinds: ReadonlyMap<string, readonly string[]> = new Map([
  ['', coreKinds],
  ['apps', appsKinds],
]);

/** An object that belongs to no collection, and the kinds of its group that do. */
type Stranger = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly group: string;
  readonly known: KnownKinds;
  readonly ours: KnownKinds;
  readonly local: readonly string[];
};

/** Whether the stranger is of a sort, and then what is said about it. */
type Check = (stranger: Stranger) => Foreign | undefined;

const otherVersion: Check = ({ apiVersion, kind, ours }) => {
  const sameKind = ours.find((entry) => entry.kind === kind);
  return sameKind && unread('error', `${apiVersion} ${kind} is not read: use ${versionsOf(sameKind)}`);
};

const kubernetesOwn: Check = ({ kind, local }) => (local.includes(kind) ? { kind: 'ignored' } : undefined);

/** The core group has no kinds of Istio's names, so there the group was forgotten; other groups have kinds of their own. */
const otherGroup: Check = ({ apiVersion, kind, group, known }) => {
  const elsewhere = known.find((entry) => entry.kind === kind && entry.group.includes('.'));
  if (elsewhere === undefined || (group !== '' && nearest(group, [elsewhere.group]) === undefined)) return undefined;
  return unread('error', `${apiVersion} ${kind} is not read: did you mean apiVersion ${versionsOf(elsewhere)}?`);
};

const misspelled: Check = ({ apiVersion, kind, ours, local }) => {
  const alike = nearest(kind, [...ours.map((entry) => entry.kind), ...local]);
  return alike === undefined
    ? undefined
    : unread('error', `there is no ${kind} in ${apiVersion}: did you mean ${alike}?`);
};

const gatewayApi: Check = ({ apiVersion, kind, group }) => {
  if (group !== 'gateway.networking.k8s.io') return undefined;
  const instead = 'use Gateway and VirtualService of networking.istio.io';
  return unread('warning', `${apiVersion} ${kind} is not read yet: ${instead}`);
};

const ofTheMesh: Check = ({ apiVersion, kind, group }) =>
  group.endsWith('.istio.io')
    ? unread('warning', `${apiVersion} ${kind} is not read: this version does not know it, so it has no effect`)
    : undefined;

const ingress: Check = ({ kind, group }) =>
  group === 'networking.k8s.io' && kind === 'Ingress'
    ? unread('info', 'Ingress is not read: use Gateway and VirtualService')
    : undefined;

const ofKubernetes: Check = ({ group }) =>
  !group.includes('.') || group.endsWith('.k8s.io') ? { kind: 'ignored' } : undefined;

const checks: readonly Check[] = [
  otherVersion,
  kubernetesOwn,
  otherGroup,
  misspelled,
  gatewayApi,
  ofTheMesh,
  ingress,
  ofKubernetes,
];

/** Says what an object is that belongs to no collection. What no Kubernetes would take is an error, what is not read a warning. */
export function classifyForeign(apiVersion: string, kind: string, known: KnownKinds): Foreign {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const ours = known.filter((entry) => entry.group === group);
  const stranger = { apiVersion, kind, group, known, ours, local: localKinds.get(group) ?? [] };
  for (const check of checks) {
    const found = check(stranger);
    if (found !== undefined) return found;
  }
  return unread('info', `${apiVersion} ${kind} is not read: it has no meaning to the mesh`);
}

function unread(level: 'error' | 'warning' | 'info', message: string): Foreign {
  return { kind: 'unread', level, message };
}

function versionsOf(entry: KnownKinds[number]): string {
  return entry.versions.map((version) => (entry.group === '' ? version : `${entry.group}/${version}`)).join(' or ');
}
