// Objects as people and Kubernetes write them, one call each. A name is `reviews` (in namespace `default`) or `shop/reviews`.

export type Manifest = Readonly<Record<string, unknown>>;
type Labels = Readonly<Record<string, string>>;

export function service(name: string, ports: readonly object[], more: Manifest = {}): Manifest {
  const [, app] = split(name);
  return object('v1', 'Service', name, { spec: { selector: { app }, clusterIP: addressOf(name), ports, ...more } });
}

export const httpPort = { name: 'http', port: 80, targetPort: 8080 };
export const tcpPort = { name: 'tcp', port: 9000, targetPort: 9000 };

type EndpointText = string | { readonly address: string; readonly pod?: string; readonly ready?: boolean };

/** The slice of a service of the same name, with a pod of the address's own labels where one is named. */
export function slice(
  name: string,
  endpoints: readonly EndpointText[],
  ports: readonly { readonly name: string; readonly targetPort: number }[] = [httpPort],
): Manifest {
  const [namespace, serviceName] = split(name);
  return {
    ...object('discovery.k8s.io/v1', 'EndpointSlice', `${name}-1`, {
      addressType: 'IPv4',
      endpoints: endpoints.map((each) => endpointOf(each, namespace)),
      ports: ports.map(({ name: portName, targetPort }) => ({ name: portName, port: targetPort, protocol: 'TCP' })),
    }),
    metadata: { namespace, name: `${serviceName}-1`, labels: { 'kubernetes.io/service-name': serviceName } },
  };
}

function endpointOf(text: EndpointText, namespace: string): object {
  const { address, pod: podName, ready = true } = typeof text === 'string' ? { address: text } : text;
  return {
    addresses: [address],
    conditions: { ready },
    ...(podName === undefined ? {} : { targetRef: { kind: 'Pod', namespace, name: podName } }),
  };
}

export function pod(name: string, ip: string, labels: Labels, more: Manifest = {}): Manifest {
  const [namespace, own] = split(name);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: own, labels },
    spec: { serviceAccountName: 'default', containers: [{ name: 'app' }], ...more },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

export function virtualService(name: string, spec: Manifest): Manifest {
  return object('networking.istio.io/v1', 'VirtualService', name, { spec });
}

/** Leads a host to subsets of itself (an empty one is the whole) by weight. */
export function weighted(name: string, host: string, shares: Readonly<Record<string, number>>): Manifest {
  const route = Object.entries(shares).map(([subset, weight]) => ({
    destination: subset === '' ? { host } : { host, subset },
    weight,
  }));
  return virtualService(name, { hosts: [host], http: [{ route }] });
}

export function destinationRule(name: string, spec: Manifest): Manifest {
  return object('networking.istio.io/v1', 'DestinationRule', name, { spec });
}

export function subsets(name: string, host: string, versions: readonly string[]): Manifest {
  return destinationRule(name, { host, subsets: versions.map((version) => ({ name: version, labels: { version } })) });
}

export function gateway(name: string, spec: Manifest): Manifest {
  return object('networking.istio.io/v1', 'Gateway', name, { spec });
}

export function serviceEntry(name: string, spec: Manifest): Manifest {
  return object('networking.istio.io/v1', 'ServiceEntry', name, { spec });
}

export function sidecar(name: string, spec: Manifest): Manifest {
  return object('networking.istio.io/v1', 'Sidecar', name, { spec });
}

export function meshConfig(text: string): Manifest {
  return object('v1', 'ConfigMap', 'istio-system/istio', { data: { mesh: text } });
}

export function object(apiVersion: string, kind: string, name: string, rest: Manifest): Manifest {
  const [namespace, own] = split(name);
  return { apiVersion, kind, metadata: { namespace, name: own }, ...rest };
}

/** An object with other metadata besides. */
export function withMeta(manifest: Manifest, meta: Manifest): Manifest {
  return { ...manifest, metadata: { ...(manifest['metadata'] as Manifest), ...meta } };
}

function split(name: string): readonly [namespace: string, name: string] {
  const slash = name.indexOf('/');
  return slash < 0 ? ['default', name] : [name.slice(0, slash), name.slice(slash + 1)];
}

function addressOf(name: string): string {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_000;
  return `10.96.${1 + (hash >> 8)}.${hash & 255}`;
}
