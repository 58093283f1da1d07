import { type MeshPlan, NAMESPACE, podsOf, serviceName } from './mesh.ts';
import { addressAt } from './objects.ts';

/** What an Envoy says of itself in its first request. */
export type BenchNode = {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

/** Proxies that are no pod of the mesh's services have addresses of their own. */
const OTHERS_BLOCK = 48;

/** The `index`th sidecar of a mesh: the pods of the services first, service by service, then workloads without a service. */
export function sidecarAt(plan: MeshPlan, index: number): BenchNode {
  const service = Math.floor(index / plan.endpointsPerService);
  const place = service < plan.services ? podsOf(plan, service)[index % plan.endpointsPerService] : undefined;
  if (place !== undefined) return nodeOf({ ...place, kind: 'sidecar', labels: { app: serviceName(service) } });
  const other = { name: `client-${index}`, namespace: NAMESPACE, address: addressAt(OTHERS_BLOCK, index) };
  return nodeOf({ ...other, kind: 'sidecar', labels: { app: 'client' } });
}

export function sidecars(plan: MeshPlan, count: number): readonly BenchNode[] {
  return Array.from({ length: count }, (_, index) => sidecarAt(plan, index));
}

/** The `index`th workload that belongs to no service. */
export function clientAt(index: number): BenchNode {
  const place = { name: `client-${index}`, namespace: NAMESPACE, address: addressAt(OTHERS_BLOCK, index) };
  return nodeOf({ ...place, kind: 'sidecar', labels: { app: 'client' } });
}

export const GATEWAY_NAMESPACE = 'istio-system';
export const GATEWAY_LABELS = { istio: 'ingressgateway' };

/** The `index`th replica of the ingress gateway. */
export function gatewayAt(index: number): BenchNode {
  const place = { name: `ingressgateway-${index}`, namespace: GATEWAY_NAMESPACE, address: addressAt(32, index) };
  return nodeOf({ ...place, kind: 'router', labels: GATEWAY_LABELS });
}

type NodeText = {
  readonly kind: 'sidecar' | 'router';
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** As the injector's bootstrap writes it. */
function nodeOf({ kind, name, namespace, address, labels }: NodeText): BenchNode {
  return {
    id: `${kind}~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    cluster: `${labels['app'] ?? name}.${namespace}`,
    metadata: {
      NAMESPACE: namespace,
      NAME: name,
      LABELS: labels,
      INSTANCE_IPS: address,
      SERVICE_ACCOUNT: 'default',
      CLUSTER_ID: 'Kubernetes',
      INTERCEPTION_MODE: 'REDIRECT',
      ISTIO_VERSION: '1.4.0',
    },
  };
}
