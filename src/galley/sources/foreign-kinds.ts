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
  | { readonly kind: 'unread'; readonly level: 'warning' | 'info'; readonly message: string };

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

/** Says what an object is that belongs to no collection. */
export function classifyForeign(apiVersion: string, kind: string, known: KnownKinds): Foreign {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const ours = known.filter((entry) => entry.group === group);
  const sameKind = ours.find((entry) => entry.kind === kind);
  if (sameKind !== undefined) {
    return unread('warning', `${apiVersion} ${kind} is not read: use ${versionsOf(sameKind)}`);
  }
  const local = localKinds.get(group) ?? [];
  if (local.includes(kind)) return { kind: 'ignored' };
  const elsewhere = known.find((entry) => entry.kind === kind && entry.group.includes('.'));
  if (elsewhere !== undefined && nearest(group, [elsewhere.group]) !== undefined) {
    return unread('warning', `${apiVersion} ${kind} is not read: did you mean apiVersion ${versionsOf(elsewhere)}?`);
  }
  const alike = nearest(kind, [...ours.map((entry) => entry.kind), ...local]);
  if (alike !== undefined) return unread('warning', `there is no ${kind} in ${apiVersion}: did you mean ${alike}?`);
  if (isMeshGroup(group)) return unread('warning', `${apiVersion} ${kind} is not read: this version does not know it`);
  if (group === 'networking.k8s.io' && kind === 'Ingress')
    return unread('info', 'Ingress is not read: use Gateway and VirtualService');
  if (isKubernetesGroup(group)) return { kind: 'ignored' };
  return unread('info', `${apiVersion} ${kind} is not read: it has no meaning to the mesh`);
}

function unread(level: 'warning' | 'info', message: string): Foreign {
  return { kind: 'unread', level, message };
}

function versionsOf(entry: KnownKinds[number]): string {
  return entry.versions.map((version) => (entry.group === '' ? version : `${entry.group}/${version}`)).join(' or ');
}

function isMeshGroup(group: string): boolean {
  return group.endsWith('.istio.io') || group === 'gateway.networking.k8s.io';
}

function isKubernetesGroup(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io');
}
