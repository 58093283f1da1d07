import type { MeshFile } from './mesh-folder.ts';
import { addressAt, endpointSlice, istioObject, namespaceObject, type PodPlace, pod, service } from './objects.ts';

/**
 * A mesh of equal services, each with pods of its own. What one index gives is the same in every mesh, so that a
 * larger mesh contains the smaller one.
 */
export type MeshPlan = {
  readonly services: number;
  readonly endpointsPerService: number;
  /** Services are dealt out to so many. */
  readonly namespaces: number;
  /** Names of ports decide protocols; none means that the protocol is found by looking at the traffic. */
  readonly protocol: 'http' | 'tcp' | 'tls' | 'auto';
  /** Whether each service has a VirtualService that rewrites, retries and matches by prefix and by regular expression. */
  readonly virtualServices: boolean;
  /** Whether each service has a DestinationRule. */
  readonly destinationRules: boolean;
  /** Whether a Sidecar object lets every workload see so many services only; 0: everybody sees everything. */
  readonly scopedTo: number;
  /** Whether pods are objects of the mesh, as they are in Kubernetes. */
  readonly pods: boolean;
};

/** The first namespace of every mesh. */
export const NAMESPACE = 'bench';
export const HTTP_PORT = 80;

const SERVICES_BLOCK = 96;
const PODS_BLOCK = 16;

export const defaultPlan: MeshPlan = {
  services: 100,
  endpointsPerService: 1,
  namespaces: 1,
  protocol: 'http',
  virtualServices: false,
  destinationRules: false,
  scopedTo: 0,
  pods: false,
};

export function serviceName(index: number): string {
  return `svc-${index}`;
}

/** The namespace of a service and its pods. */
export function namespaceOf({ namespaces }: Pick<MeshPlan, 'namespaces'>, index: number): string {
  const number = index % namespaces;
  return number === 0 ? NAMESPACE : `${NAMESPACE}-${number}`;
}

export function hostOf(plan: MeshPlan, index: number): string {
  return `${serviceName(index)}.${namespaceOf(plan, index)}.svc.cluster.local`;
}

export function portOf(protocol: MeshPlan['protocol']): {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
} {
  switch (protocol) {
    case 'http':
      return { name: 'http', port: HTTP_PORT, targetPort: 8080 };
    case 'tcp':
      return { name: 'tcp', port: 9000, targetPort: 9000 };
    case 'tls':
      return { name: 'tls', port: 443, targetPort: 8443 };
    case 'auto':
      return { name: '', port: 7000, targetPort: 7000 };
  }
}

/** The cluster through which everybody reaches a service of the mesh. */
export function clusterOf(plan: MeshPlan, index: number): string {
  return `outbound|${portOf(plan.protocol).port}||${hostOf(plan, index)}`;
}

/** A mesh's scope in words. */
export function describeScope({ scopedTo, namespaces }: MeshPlan): string {
  const scope = scopedTo === 0 ? 'unscoped' : `scoped to ${scopedTo}`;
  return namespaces === 1 ? scope : `${scope}, ${namespaces} namespaces`;
}

/** The pods of one service. */
export function podsOf(plan: MeshPlan, index: number): readonly PodPlace[] {
  const { endpointsPerService } = plan;
  const namespace = namespaceOf(plan, index);
  return Array.from({ length: endpointsPerService }, (_, replica) => {
    const address = addressAt(PODS_BLOCK, index * endpointsPerService + replica);
    return { name: `${serviceName(index)}-${replica}`, namespace, address };
  });
}

/** The file whose change is a change of endpoints: the first `count` pods of one service. */
export function endpointsFile(plan: MeshPlan, index: number, count = plan.endpointsPerService): MeshFile {
  const pods = podsOf(plan, index).slice(0, count);
  return {
    path: `endpoints/${serviceName(index)}.yaml`,
    objects: [
      endpointSlice({ name: serviceName(index), namespace: namespaceOf(plan, index) }, pods, [portOf(plan.protocol)]),
    ],
  };
}

/** The file whose change is a change of routes; `timeout` is what changes. */
export function virtualServiceFile(plan: MeshPlan, index: number, timeout = '5s'): MeshFile {
  const destination = [{ destination: { host: hostOf(plan, index), port: { number: portOf(plan.protocol).port } } }];
  const retries = { attempts: 3, perTryTimeout: '2s', retryOn: 'connect-failure,refused-stream,503' };
  const http = [
    { match: [{ uri: { prefix: `/old/${index}/` } }], rewrite: { uri: '/new/' }, timeout, route: destination },
    {
      match: [{ uri: { regex: `/api/v[0-9]+/item-${index}/.*` }, headers: { 'x-version': { exact: 'v2' } } }],
      rewrite: { authority: `v2.${hostOf(plan, index)}` },
      route: destination,
    },
    { match: [{ uri: { prefix: '/api/' }, method: { exact: 'GET' } }], retries, timeout, route: destination },
    { route: destination },
  ];
  return {
    path: `routes/${serviceName(index)}.yaml`,
    objects: [
      istioObject(
        'VirtualService',
        { name: serviceName(index), namespace: namespaceOf(plan, index) },
        { hosts: [hostOf(plan, index)], http },
      ),
    ],
  };
}

/** The file whose change is a change of one cluster; `timeout` is what changes. */
export function destinationRuleFile(plan: MeshPlan, index: number, timeout = '5s'): MeshFile {
  const name = { name: serviceName(index), namespace: namespaceOf(plan, index) };
  const trafficPolicy = { connectionPool: { tcp: { connectTimeout: timeout } } };
  const rule = istioObject('DestinationRule', name, { host: hostOf(plan, index), trafficPolicy });
  return { path: `rules/${serviceName(index)}.yaml`, objects: [rule] };
}

export function buildMesh(plan: MeshPlan): readonly MeshFile[] {
  const namespaces = Array.from({ length: plan.namespaces }, (_, index) => namespaceOf(plan, index));
  const files: MeshFile[] = [{ path: 'namespaces.yaml', objects: namespaces.map(namespaceObject) }];
  for (let index = 0; index < plan.services; index += 1) {
    const clusterIp = addressAt(SERVICES_BLOCK, index);
    const ports = [portOf(plan.protocol)];
    files.push({
      path: `services/${serviceName(index)}.yaml`,
      objects: [service(serviceName(index), { namespace: namespaceOf(plan, index), clusterIp, ports })],
    });
    files.push(endpointsFile(plan, index));
    if (plan.virtualServices) files.push(virtualServiceFile(plan, index));
    if (plan.destinationRules) files.push(destinationRuleFile(plan, index));
    if (plan.pods) {
      const objects = podsOf(plan, index).map((place) => pod(place, { app: serviceName(index) }));
      files.push({ path: `pods/${serviceName(index)}.yaml`, objects });
    }
  }
  if (plan.scopedTo > 0) files.push(scopeFile(plan));
  return files;
}

function scopeFile(plan: MeshPlan): MeshFile {
  const hosts = Array.from(
    { length: Math.min(plan.scopedTo, plan.services) },
    (_, index) => `*/${hostOf(plan, index)}`,
  );
  const spec = { egress: [{ hosts }] };
  return { path: 'sidecar.yaml', objects: [istioObject('Sidecar', { name: 'default', namespace: NAMESPACE }, spec)] };
}
