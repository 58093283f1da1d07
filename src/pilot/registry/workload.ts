import type { Container, PodSpec } from '../../apis/kubernetes/pod.ts';
import type { WorkloadEntrySpec } from '../../apis/networking/networking.ts';
import type { ObjectKey } from '../../model/ids.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type { Endpoint, Locality, Workload } from '../../model/service.ts';
import { allPorts, type CapturedPorts, capturedPorts, isCaptured } from './captured-ports.ts';
import type { Labels } from './label-index.ts';
import { localityOfLabels, parseLocality } from './locality.ts';
import type { FindNetwork } from './network.ts';
import { createdAt } from './order.ts';

/** A pod or WorkloadEntry with what the registry needs of it beyond the model's workload. */
export type WorkloadInfo = {
  readonly key: ObjectKey;
  readonly namespace: string;
  readonly labels: Labels;
  readonly workload: Workload;
  /** Container ports of a pod, `ports` of an entry. */
  readonly namedPorts: ReadonlyMap<string, number>;
  readonly isPod: boolean;
  readonly state: 'ready' | 'draining' | 'unready';
  readonly tlsMode: Endpoint['tlsMode'];
  /** The others reach the application without its proxy. */
  readonly captured: CapturedPorts;
  readonly weight: number;
  /** Whether the addresses are its own: a pod on its host's network shares them. */
  readonly ownsAddresses: boolean;
  readonly createdAt: number;
  /** A pod that was told to stop. */
  readonly ending: boolean;
  readonly hostname: string | undefined;
  readonly subdomain: string | undefined;
};

export type PodInputs = {
  readonly pod: ConfigObject<'Pod'>;
  readonly nodeLocality: Locality | undefined;
  readonly findNetwork: FindNetwork;
};

/** A pod that ended is no workload: its address may be somebody else's by now. */
export function buildPodWorkload({ pod, nodeLocality, findNetwork }: PodInputs): WorkloadInfo | undefined {
  const { spec, meta } = pod;
  if (spec.phase === 'Succeeded' || spec.phase === 'Failed') return undefined;
  return {
    key: pod.key,
    namespace: meta.namespace,
    labels: meta.labels,
    workload: {
      name: meta.name,
      namespace: meta.namespace,
      controller: controllerOf(pod),
      addresses: spec.podIPs,
      labels: meta.labels,
      serviceAccount: spec.serviceAccountName,
      locality: localityOfLabels(meta.labels) ?? nodeLocality,
      network: findNetwork({ address: spec.podIPs[0] ?? '', labels: meta.labels, inCluster: true }),
      node: spec.nodeName === '' ? undefined : spec.nodeName,
      origin: refOf(pod),
    },
    namedPorts: containerPorts(spec),
    isPod: true,
    state: podState(pod),
    tlsMode: meta.labels[TLS_MODE_LABEL] === 'istio' ? 'istio' : 'disabled',
    captured: capturedPorts(meta.annotations),
    weight: 1,
    ownsAddresses: !spec.hostNetwork,
    createdAt: createdAt(pod),
    ending: meta.deletedAt !== undefined,
    hostname: spec.hostname,
    subdomain: spec.subdomain,
  };
}

export type EntryInputs = { readonly entry: ConfigObject<'WorkloadEntry'>; readonly findNetwork: FindNetwork };

export function buildEntryWorkload({ entry, findNetwork }: EntryInputs): WorkloadInfo {
  const { spec, meta } = entry;
  const labels = { ...spec.labels, ...meta.labels };
  return {
    key: entry.key,
    namespace: meta.namespace,
    labels,
    workload: {
      name: meta.name,
      namespace: meta.namespace,
      controller: meta.name,
      addresses: spec.address === undefined || spec.address === '' ? [] : [spec.address],
      labels,
      serviceAccount: spec.serviceAccount ?? '',
      locality: parseLocality(spec.locality) ?? localityOfLabels(labels),
      network: spec.network || findNetwork({ address: spec.address ?? '', labels, inCluster: false }),
      node: undefined,
      origin: refOf(entry),
    },
    namedPorts: new Map(Object.entries(spec.ports ?? {})),
    isPod: false,
    state: 'ready',
    tlsMode: tlsModeOfEntry(spec, labels),
    captured: allPorts,
    weight: weightOfEntry(spec),
    ownsAddresses: true,
    createdAt: createdAt(entry),
    ending: false,
    hostname: undefined,
    subdomain: undefined,
  };
}

const TLS_MODE_LABEL = 'security.istio.io/tlsMode';

/** A written endpoint has a proxy if it says so, or if it names the identity that its proxy would show. */
export function tlsModeOfEntry(spec: WorkloadEntrySpec, labels: Labels): Endpoint['tlsMode'] {
  const label = labels[TLS_MODE_LABEL];
  const hasProxy = label === undefined ? (spec.serviceAccount ?? '') !== '' : label === 'istio';
  return hasProxy ? 'istio' : 'disabled';
}

/** Whether mutual TLS is taken on one port of a workload. */
export function tlsModeAt({ tlsMode, captured }: WorkloadInfo, port: number): Endpoint['tlsMode'] {
  return isCaptured(captured, port) ? tlsMode : 'disabled';
}

export function weightOfEntry({ weight = 1 }: WorkloadEntrySpec): number {
  return Math.max(1, weight);
}

function podState({ spec, meta }: ConfigObject<'Pod'>): WorkloadInfo['state'] {
  if (spec.phase !== 'Running' || !spec.ready) return 'unready';
  return meta.deletedAt === undefined ? 'ready' : 'draining';
}

/** A Deployment's pods are controlled by a ReplicaSet named `<deployment>-<pod-template-hash>`. */
function controllerOf({ spec, meta }: ConfigObject<'Pod'>): string {
  if (spec.owner === undefined) return meta.name;
  const suffix = `-${meta.labels['pod-template-hash'] ?? ''}`;
  const { kind, name } = spec.owner;
  return kind === 'ReplicaSet' && suffix !== '-' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

function containerPorts({ containers, initContainers }: PodSpec): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const container of [...containers, ...initContainers.filter(isNativeSidecar)]) {
    for (const { name, containerPort, protocol } of container.ports) {
      if (name !== '' && protocol === 'TCP' && !ports.has(name)) ports.set(name, containerPort);
    }
  }
  return ports;
}

function isNativeSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}
