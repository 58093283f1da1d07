import { buildMesh, clusterOf, defaultPlan, HTTP_PORT, hostOf, type MeshPlan, NAMESPACE, portOf } from './mesh.ts';
import type { MeshFile } from './mesh-folder.ts';
import { addressAt, istioObject, namespaceObject } from './objects.ts';
import { type BenchNode, clientAt, GATEWAY_LABELS, GATEWAY_NAMESPACE, gatewayAt } from './proxies.ts';

/** What a proxy must have in the end. Every name, not only their number. */
export type ExpectedContent = {
  /** Clusters of other workloads' services; those that every proxy has are not listed. */
  readonly clusters: readonly string[];
  /** More of them, of whose endpoints nothing is known. */
  readonly besides?: readonly string[];
  /** The number of endpoints of each of `clusters`. */
  readonly endpointsPerCluster: number;
  /** Virtual hosts of all route configurations together, at least. */
  readonly virtualHosts: number;
};

/** One workload of the first row of the table: a mesh, and who asks for all of it. */
export type Shape = {
  readonly name: string;
  readonly files: readonly MeshFile[];
  /** The `index`th proxy of equal proxies. */
  readonly nodeAt: (index: number) => BenchNode;
  readonly expected: ExpectedContent;
  /** Istio 1.29's figures for this shape, where there are some. */
  readonly istio: IstioFigures;
};

export type IstioFigures = {
  readonly bytes?: number;
  readonly coldMs?: number;
  readonly warmMs?: number;
  readonly rssMiB?: number;
};

type ShapeName = 'http' | 'tcp' | 'tls' | 'auto' | 'virtualservice' | 'workloadentry' | 'gateways' | 'gateways-shared';

const figures: Readonly<Record<string, IstioFigures>> = {
  'http-1000': { bytes: 2_090_000, coldMs: 92, warmMs: 17.6, rssMiB: 148 },
  'http-100': { bytes: 227_000, warmMs: 4.3 },
  'virtualservice-100': { bytes: 307_000, warmMs: 6.1 },
  'auto-100': { bytes: 498_000, warmMs: 9.7 },
  'gateways-1000': { bytes: 3_500_000, coldMs: 140, warmMs: 63, rssMiB: 194 },
};

/** The shapes of the short form, and those that the full form adds. */
export const shortShapes: readonly (readonly [ShapeName, number])[] = [
  ['http', 1000],
  ['http', 100],
  ['virtualservice', 100],
  ['auto', 100],
  ['gateways', 1000],
];

export const fullShapes: readonly (readonly [ShapeName, number])[] = [
  ...shortShapes,
  ['tcp', 100],
  ['tcp', 1000],
  ['tls', 100],
  ['tls', 1000],
  ['auto', 1000],
  ['virtualservice', 1000],
  ['workloadentry', 100],
  ['gateways-shared', 1000],
];

export function buildShape(name: ShapeName, count: number): Shape {
  const shape = { name: `${name}-${count}`, istio: figures[`${name}-${count}`] ?? {} };
  switch (name) {
    case 'http':
    case 'tcp':
    case 'tls':
    case 'auto':
      return { ...shape, ...meshShape({ ...defaultPlan, services: count, protocol: name }) };
    case 'virtualservice':
      return { ...shape, ...meshShape({ ...defaultPlan, services: count, virtualServices: true }) };
    case 'workloadentry':
      return { ...shape, ...workloadEntryShape(count) };
    case 'gateways':
      return { ...shape, ...gatewayShape(count, (index) => `gateway-${index}`) };
    case 'gateways-shared':
      return { ...shape, ...gatewayShape(count, () => 'gateway') };
  }
}

type ShapeBody = Omit<Shape, 'name' | 'istio'>;

function meshShape(plan: MeshPlan): ShapeBody {
  const hasRoutes = plan.protocol === 'http' || plan.protocol === 'auto';
  return {
    files: buildMesh(plan),
    nodeAt: clientAt,
    expected: {
      clusters: upTo(plan.services, (index) => clusterOf(plan, index)),
      endpointsPerCluster: plan.endpointsPerService,
      virtualHosts: hasRoutes ? plan.services : 0,
    },
  };
}

const ENTRIES_PER_SERVICE = 10;

/** Services outside Kubernetes whose endpoints are WorkloadEntries, ten for each. */
function workloadEntryShape(count: number): ShapeBody {
  const host = (index: number): string => `entry-${index}.example.com`;
  const files = upTo(count, (index): MeshFile => {
    const spec = {
      hosts: [host(index)],
      ports: [{ ...portOf('http'), number: HTTP_PORT, protocol: 'HTTP' }].map(
        ({ number, name, protocol, targetPort }) => ({
          number,
          name,
          protocol,
          targetPort,
        }),
      ),
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      workloadSelector: { labels: { app: `entry-${index}` } },
    };
    const entries = upTo(ENTRIES_PER_SERVICE, (replica) =>
      istioObject(
        'WorkloadEntry',
        { name: `entry-${index}-${replica}`, namespace: NAMESPACE },
        { address: addressAt(64, index * ENTRIES_PER_SERVICE + replica), labels: { app: `entry-${index}` } },
      ),
    );
    const entry = istioObject('ServiceEntry', { name: `entry-${index}`, namespace: NAMESPACE }, spec);
    return { path: `entries/entry-${index}.yaml`, objects: [entry, ...entries] };
  });
  return {
    files: [{ path: 'namespace.yaml', objects: [namespaceObject(NAMESPACE)] }, ...files],
    nodeAt: clientAt,
    expected: {
      clusters: upTo(count, (index) => `outbound|${HTTP_PORT}||${host(index)}`),
      endpointsPerCluster: ENTRIES_PER_SERVICE,
      virtualHosts: count,
    },
  };
}

/** One host per VirtualService, each leading to a service of its own; `gatewayOf` names the Gateway that has it. */
function gatewayShape(count: number, gatewayOf: (index: number) => string): ShapeBody {
  const plan = { ...defaultPlan, services: count };
  const hosts = Map.groupBy(
    upTo(count, (index) => index),
    gatewayOf,
  );
  const gateways = [...hosts].map(([name, indexes]): MeshFile => {
    const server = {
      port: { number: HTTP_PORT, name: 'http', protocol: 'HTTP' },
      hosts: indexes.map((index) => `host-${index}.example.com`),
    };
    const spec = { selector: GATEWAY_LABELS, servers: [server] };
    return {
      path: `gateways/${name}.yaml`,
      objects: [istioObject('Gateway', { name, namespace: GATEWAY_NAMESPACE }, spec)],
    };
  });
  const routes = upTo(count, (index): MeshFile => {
    const route = [{ destination: { host: hostOf(plan, index), port: { number: HTTP_PORT } } }];
    const spec = {
      hosts: [`host-${index}.example.com`],
      gateways: [`${GATEWAY_NAMESPACE}/${gatewayOf(index)}`],
      http: [{ route }],
    };
    const name = { name: `host-${index}`, namespace: NAMESPACE };
    return { path: `routes/host-${index}.yaml`, objects: [istioObject('VirtualService', name, spec)] };
  });
  return {
    files: [
      { path: 'gateway-namespace.yaml', objects: [namespaceObject(GATEWAY_NAMESPACE)] },
      ...buildMesh(plan),
      ...gateways,
      ...routes,
    ],
    nodeAt: gatewayAt,
    expected: {
      clusters: upTo(count, (index) => clusterOf(plan, index)),
      endpointsPerCluster: 1,
      virtualHosts: count,
    },
  };
}

function upTo<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
