import {
  defaultPlan,
  type MeshPlan,
  NAMESPACE,
  podsOf,
  portOf,
  serviceName,
  virtualServiceFile,
} from '../mesh/mesh.ts';
import { endpointSlice, type Manifest, namespaceObject, pod, service } from '../mesh/objects.ts';

/** Endpoints of a slice: between the three of most services and the hundred of the largest. */
const ENDPOINTS = 10;

const plan: MeshPlan = { ...defaultPlan, endpointsPerService: ENDPOINTS };
const port = portOf(plan.protocol);

/** The mesh of so many services that have all been created; proxies that do nothing but look at it are no part of it. */
export function planOf(services: number): MeshPlan {
  return { ...plan, services };
}

/** The cluster of the API server itself. */
export const API_CLUSTER = 'outbound|443||kubernetes.default.svc.cluster.local';

export const meshNamespace: Manifest = namespaceObject(NAMESPACE);

type MakeObject = (index: number) => Manifest;

/** The `index`th object of each kind that a mesh has many of. */
export const objectAt = {
  Service: (index) =>
    withoutAddress(service(serviceName(index), { namespace: NAMESPACE, clusterIp: '', ports: [port] })),
  EndpointSlice: (index) => sliceOf(index, ENDPOINTS),
  Pod: (index) => podAt(index),
  VirtualService: (index) => virtualServiceAt(index),
} as const satisfies Readonly<Record<string, MakeObject>>;

export type BenchKind = keyof typeof objectAt;

export const apiVersionOf: Readonly<Record<BenchKind, string>> = {
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Pod: 'v1',
  VirtualService: 'networking.istio.io/v1',
};

export function objects(kind: BenchKind, from: number, to: number): readonly Manifest[] {
  return Array.from({ length: to - from }, (_, offset) => objectAt[kind](from + offset));
}

/** The slice of a service with its first endpoints. */
export function sliceOf(index: number, count: number): Manifest {
  const name = { name: serviceName(index), namespace: NAMESPACE };
  return endpointSlice(name, podsOf(plan, index).slice(0, count), [port]);
}

export function virtualServiceAt(index: number, timeout?: string): Manifest {
  return first(virtualServiceFile(plan, index, timeout).objects);
}

/** The first pod of a service, as large as those of real applications: probes, variables, resources, volumes. */
function podAt(index: number): Manifest {
  const place = podsOf(plan, index)[0];
  if (place === undefined) throw new Error('a service without pods');
  const labels = { app: serviceName(index), version: 'v1', 'pod-template-hash': '6c9f8d7b5d' };
  const { spec, metadata, ...rest } = pod(place, labels);
  const container = {
    name: 'app',
    image: 'registry.example.com/team/application:1.27.3',
    ports: [{ name: 'http', containerPort: 8080 }],
    env: Array.from({ length: 8 }, (_, at) => ({ name: `SETTING_${at}`, value: `the value of setting ${at}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 },
    livenessProbe: { httpGet: { path: '/live', port: 8080 }, periodSeconds: 10 },
    volumeMounts: [{ name: 'settings', mountPath: '/etc/settings' }],
  };
  return {
    ...rest,
    metadata: {
      ...(metadata as object),
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
    },
    spec: {
      ...(spec as object),
      containers: [container],
      volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
    },
  };
}

/** Addresses of Services are for the API server to give. */
function withoutAddress({ spec, ...rest }: Manifest): Manifest {
  const { clusterIP: _, ...others } = spec as Readonly<Record<string, unknown>>;
  return { ...rest, spec: others };
}

function first(list: readonly Manifest[]): Manifest {
  const [object] = list;
  if (object === undefined) throw new Error('a file without objects');
  return object;
}
