/** One Kubernetes or Istio object, as a file has it. */
export type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string };

export type PortSpec = { readonly name: string; readonly port: number; readonly targetPort: number };

export type PodPlace = { readonly name: string; readonly namespace: string; readonly address: string };

const NETWORKING = 'networking.istio.io/v1';

/** The `index`th address of a /12, such as 10.16.0.0: no two of a mesh are equal, and each mesh has the same. */
export function addressAt(second: number, index: number): string {
  const host = index + 1;
  return `10.${second + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
}

export function namespaceObject(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function service(
  name: string,
  options: { readonly namespace: string; readonly clusterIp: string; readonly ports: readonly PortSpec[] },
): Manifest {
  const { namespace, clusterIp, ports } = options;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: clusterIp, selector: { app: name }, ports: ports.map((port) => ({ ...port, protocol: 'TCP' })) },
  };
}

/** The endpoints of a service, all ready. */
export function endpointSlice(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  pods: readonly PodPlace[],
  ports: readonly PortSpec[],
): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports.map(({ name: port, targetPort }) => ({ name: port, port: targetPort, protocol: 'TCP' })),
    endpoints: pods.map((pod) => ({
      addresses: [pod.address],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name: pod.name, namespace: pod.namespace },
    })),
  };
}

export function pod({ name, namespace, address }: PodPlace, labels: Readonly<Record<string, string>>): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { serviceAccountName: 'default', nodeName: 'node-1', containers: [{ name: 'app', image: 'app' }] },
    status: { podIP: address, podIPs: [{ ip: address }], phase: 'Running' },
  };
}

export function istioObject(
  kind: string,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  spec: Readonly<Record<string, unknown>>,
): Manifest {
  return { apiVersion: NETWORKING, kind, metadata: { name, namespace }, spec };
}
