import type { Kind } from '../../apis/collections.ts';
import type { KubernetesSpecs } from '../../apis/kubernetes/kinds.ts';
import type { Container, PodTemplateSpec } from '../../apis/kubernetes/pod.ts';
import type { ServiceSpec } from '../../apis/kubernetes/service.ts';
import type { ConfigObject } from '../../model/object.ts';

type Json = Readonly<Record<string, unknown>>;
type KubernetesKind = Exclude<keyof KubernetesSpecs, 'Secret' | 'ConfigMap'>;

/** Of each kind, the parts of an object of Kubernetes that are read to the same record again. */
const bodies: { readonly [K in KubernetesKind]: (spec: KubernetesSpecs[K]) => Json } = {
  Namespace: ({ phase }) => ({ status: { phase } }),
  Service: ({ loadBalancerIngress, ...spec }) => ({ spec, status: { loadBalancer: { ingress: loadBalancerIngress } } }),
  // The name of its service is one of its labels, and these travel by themselves.
  EndpointSlice: ({ serviceName: _, endpoints, ...slice }) => ({
    ...slice,
    endpoints: endpoints.map(({ ready, serving, terminating, ...endpoint }) => ({
      ...endpoint,
      conditions: { ready, serving, terminating },
    })),
  }),
  Endpoints: (spec) => spec,
  Pod: ({ phase, podIPs, ready, owner, ...spec }) => ({
    metadata: { ownerReferences: owner === undefined ? [] : [owner] },
    spec: podBody(spec),
    status: {
      phase,
      podIPs: podIPs.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }),
  Node: ({ addresses, podCIDR, podCIDRs }) => ({ spec: { podCIDR, podCIDRs }, status: { addresses } }),
  Deployment: ({ replicas, selector, template: { labels, annotations, spec } }) => ({
    spec: { replicas, selector, template: { metadata: { labels, annotations }, spec: podBody(spec) } },
  }),
  ServiceAccount: ({ secrets, imagePullSecrets }) => ({
    secrets: secrets.map((name) => ({ name })),
    imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
  }),
};

/** Environment, commands and probes are the workload's own business: nobody who gets a pod from here asks for them. */
function podBody({ containers, initContainers, ...spec }: PodTemplateSpec): Json {
  const body = ({ name, image, ports, restartPolicy }: Container): Json => ({ name, image, ports, restartPolicy });
  return { ...spec, containers: containers.map(body), initContainers: initContainers.map(body) };
}

/** An object of Kubernetes as far as it is read: what its API would say, without the rest. */
export function kubernetesBody(object: ConfigObject): Json {
  const { kind, meta, spec } = object;
  const build = (bodies as Readonly<Partial<Record<Kind, (spec: unknown) => Json>>>)[kind];
  if (build === undefined) throw new Error(`${kind} is not distributed`);
  const { metadata, ...body } = build(spec);
  const deletionTimestamp = meta.deletedAt === undefined ? undefined : new Date(meta.deletedAt).toISOString();
  return withoutAbsent({ ...body, metadata: { deletionTimestamp, ...(metadata as Json | undefined) } }) as Json;
}

/** `k8s.io.api.core.v1.ServiceSpec`, as Galley sends it. */
export function serviceMessage(spec: ServiceSpec): Json {
  const [first] = spec.clusterIPs;
  const affinity = spec.sessionAffinity;
  return {
    type: spec.type,
    selector: spec.selector,
    externalIPs: spec.externalIPs,
    publishNotReadyAddresses: spec.publishNotReadyAddresses,
    ...(first === undefined ? {} : { clusterIP: first }),
    ...(spec.externalName === undefined ? {} : { externalName: spec.externalName }),
    ...(affinity === undefined ? {} : { sessionAffinity: affinity }),
    ports: spec.ports.map(({ name, port, protocol, targetPort, nodePort }) => ({
      name,
      port,
      protocol,
      targetPort: typeof targetPort === 'number' ? { type: 0, intVal: targetPort } : { type: 1, strVal: targetPort },
      ...(nodePort === undefined ? {} : { nodePort }),
    })),
  };
}

/** A Struct has no word for what is absent. */
function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([key, member]) => [key, withoutAbsent(member)]));
}
