import type { ServiceSpec } from '../../apis/kubernetes/service.ts';
import type { Diagnostic, FilePosition } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { ObjectMeta } from '../../model/object.ts';
import { BRIDGE_ADDRESS } from './addresses.ts';
import type { PodPlan } from './pod-plan.ts';

/** An object as a source brings it, before admission. Galley's own type fits. */
export type RawObject = {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly kind: string;
  readonly meta: ObjectMeta;
  readonly body: Readonly<Record<string, unknown>>;
  readonly locate: ((path: readonly (string | number)[]) => FilePosition | undefined) | undefined;
};

export type RawUpdate = {
  readonly upserts: readonly RawObject[];
  readonly deletes: readonly ObjectKey[];
  readonly diagnostics?: readonly Diagnostic[];
};

/** A pod that has an address, and how it is. */
export type PodState = {
  readonly plan: PodPlan;
  readonly address: string;
  readonly ready: boolean;
  /** It is on its way out and finishes what it has begun. */
  readonly terminating: boolean;
  readonly createdAt: number;
};

export type ServiceInput = { readonly meta: ObjectMeta; readonly spec: ServiceSpec };

type Metadata = { readonly name: string; readonly namespace?: string } & Partial<
  Pick<ObjectMeta, 'labels' | 'annotations' | 'createdAt'>
> &
  Readonly<Record<string, unknown>>;

const SERVICE_NAME = 'kubernetes.io/service-name';

/** What a source says of an object that Kubernetes' controllers would have made. */
function buildObject(
  apiVersion: string,
  kind: string,
  metadata: Metadata,
  rest: Readonly<Record<string, unknown>>,
): RawObject {
  const namespace = metadata.namespace ?? '';
  const { createdAt, ...shown } = metadata;
  return {
    key: objectKey(kind, namespace, metadata.name),
    apiVersion,
    kind,
    meta: {
      namespace,
      name: metadata.name,
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
      uid: undefined,
      resourceVersion: undefined,
      generation: undefined,
      createdAt,
      deletedAt: undefined,
    },
    body: {
      apiVersion,
      kind,
      metadata: createdAt === undefined ? shown : { ...shown, creationTimestamp: new Date(createdAt).toISOString() },
      ...rest,
    },
    locate: undefined,
  };
}

export function buildNode(): RawObject {
  return buildObject(
    'v1',
    'Node',
    { name: 'local', labels: { 'kubernetes.io/hostname': 'local' } },
    { spec: {}, status: { addresses: [{ type: 'InternalIP', address: BRIDGE_ADDRESS }] } },
  );
}

export function buildPod({ plan, address, ready, createdAt }: PodState): RawObject {
  const condition = { type: 'Ready', status: ready ? 'True' : 'False' };
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: `${plan.deployment}-${plan.templateHash}`,
    controller: true,
  };
  return buildObject(
    'v1',
    'Pod',
    {
      name: plan.name,
      namespace: plan.namespace,
      labels: plan.labels,
      annotations: plan.annotations,
      createdAt,
      ownerReferences: [owner],
    },
    {
      spec: {
        serviceAccountName: plan.serviceAccount,
        nodeName: plan.nodeName,
        containers: [{ name: plan.containers[0]?.name ?? 'istio-proxy', ports: plan.containerPorts }],
      },
      status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions: [condition] },
    },
  );
}

/** The service with the address it was given; headless and external ones have none. */
export function withAddress(service: RawObject, address: string): RawObject {
  const spec: unknown = service.body['spec'];
  const fields = typeof spec === 'object' && spec !== null ? spec : {};
  return { ...service, body: { ...service.body, spec: { ...fields, clusterIP: address, clusterIPs: [address] } } };
}

/** Whether Kubernetes would give the service an address of its own. */
export function needsAddress({ spec }: ServiceInput): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIPs.length === 0;
}

type SlicePort = {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
};

/**
 * The EndpointSlices of a service, as Kubernetes' controller makes them: one per way in which the pods resolve the named
 * target ports. A service without selector has none of ours.
 */
export function buildSlices(service: ServiceInput, pods: readonly PodState[]): readonly RawObject[] {
  const { meta, spec } = service;
  if (spec.type === 'ExternalName' || Object.keys(spec.selector).length === 0) return [];
  const groups = new Map<string, { readonly ports: readonly SlicePort[]; readonly pods: PodState[] }>();
  for (const pod of pods) {
    if (!selects(service, pod.plan)) continue;
    const ports = resolvePorts(spec, pod.plan);
    const group = groups.get(JSON.stringify(ports)) ?? { ports, pods: [] };
    group.pods.push(pod);
    groups.set(JSON.stringify(ports), group);
  }
  const ordered = groups.size === 0 ? [{ ports: [], pods: [] }] : [...groups.values()];
  return ordered.map((group, index) =>
    buildObject(
      'discovery.k8s.io/v1',
      'EndpointSlice',
      {
        name: index === 0 ? `${meta.name}-local` : `${meta.name}-local-${index + 1}`,
        namespace: meta.namespace,
        labels: { [SERVICE_NAME]: meta.name },
      },
      {
        addressType: 'IPv4',
        ports: group.ports,
        endpoints: group.pods.map((pod) => buildEndpoint(pod, spec.publishNotReadyAddresses)),
      },
    ),
  );
}

export function selects({ meta, spec }: ServiceInput, plan: PodPlan): boolean {
  const selector = Object.entries(spec.selector);
  return (
    meta.namespace === plan.namespace &&
    selector.length > 0 &&
    selector.every(([label, value]) => plan.labels[label] === value)
  );
}

function buildEndpoint(
  { plan, address, ready, terminating }: PodState,
  always: boolean,
): Readonly<Record<string, unknown>> {
  return {
    addresses: [address],
    conditions: { ready: always || (ready && !terminating), serving: ready, terminating },
    nodeName: plan.nodeName,
    targetRef: { kind: 'Pod', namespace: plan.namespace, name: plan.name },
  };
}

function resolvePorts(spec: ServiceSpec, plan: PodPlan): readonly SlicePort[] {
  return spec.ports.flatMap(({ name, targetPort, protocol, appProtocol }) => {
    const port = resolveTargetPort(targetPort, plan);
    if (port === undefined) return [];
    return [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** The number of a container port that may be given by name; undefined if the pod has none of that name. */
export function resolveTargetPort(targetPort: number | string, plan: PodPlan): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  return plan.containerPorts.find(({ name }) => name === targetPort)?.containerPort;
}
