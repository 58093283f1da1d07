import { performance } from 'node:perf_hooks';
import { Fleet } from '../ads-client/fleet.ts';
import { meshNamespace, objects, planOf } from '../cluster/cluster-objects.ts';
import type { Figure } from '../measure/report.ts';
import { median } from '../measure/stats.ts';
import { writeMesh } from '../mesh/mesh-folder.ts';
import { clientAt } from '../mesh/proxies.ts';
import { DEBOUNCE, type ServerOptions } from '../server/xebec-process.ts';
import { checkContent } from './content.ts';
import type { Row, RowContext } from './row.ts';
import { expectedInCluster } from './scene.ts';

const SERVICES = 1000;

/** From the start of the process until it is ready, and until a proxy that tries all the time has everything. */
export const clusterStart: Row = {
  name: 'cluster-start',
  run: async (context) => {
    const cluster = await context.cluster();
    await cluster.create([meshNamespace]);
    const nothing = await measureStarts(context, 0, [cluster.pod]);
    await cluster.create([...objects('Service', 0, SERVICES), ...objects('EndpointSlice', 0, SERVICES)]);
    const services = await measureStarts(context, SERVICES, [cluster.pod, writeFolder(context)]);
    return [
      {
        row: 12,
        title: 'Process start → ready → first configuration served, reading a Kubernetes API',
        conditions: `A real API server on the cores of the load; a slice of ten endpoints for each service; delta, plaintext, debounce ${DEBOUNCE}. Median of ${runs(context)} starts, in alternation with a folder of the same objects.`,
        figures: [...figuresOf(0, 1000, nothing), ...figuresOf(SERVICES, 3000, services)],
        notes: ['“Ready” is what the probe of a pod would see, asked every 2 ms, in starts of its own.'],
      },
    ];
  },
};

function runs({ full }: RowContext): number {
  return full ? 7 : 3;
}

type Start = { readonly readyMs: number; readonly servedMs: number; readonly cpuMs: number; readonly rssMiB: number };

/** The median start of each source. */
async function measureStarts(
  context: RowContext,
  services: number,
  sources: readonly ServerOptions['source'][],
): Promise<readonly Start[]> {
  const samples = new Map<ServerOptions['source'], Start[]>(sources.map((source) => [source, []]));
  for (let round = 0; round < runs(context); round += 1)
    for (const [source, list] of samples) list.push(await measureStart(context, services, source));
  return [...samples.values()].map((list) => {
    const of = (read: (sample: Start) => number): number => median(list.map(read));
    return {
      readyMs: of(({ readyMs }) => readyMs),
      servedMs: of(({ servedMs }) => servedMs),
      cpuMs: of(({ cpuMs }) => cpuMs),
      rssMiB: of(({ rssMiB }) => rssMiB),
    };
  });
}

async function measureStart(context: RowContext, services: number, source: ServerOptions['source']): Promise<Start> {
  const first = context.serve({ source });
  await first.ready();
  const readyMs = performance.now() - first.startedAt;
  await first.stop();
  const server = context.serve({ source });
  const fleet = new Fleet({ address: await server.address(), protocol: 'delta', nodes: [clientAt(0)] });
  const [client] = fleet.clients;
  await fleet.connect();
  const servedMs = performance.now() - server.startedAt;
  const { cpuMs, rssMiB } = server.usage();
  if (client !== undefined && typeof source !== 'string') checkContent(client, expectedInCluster(planOf(services)));
  fleet.close();
  await server.stop();
  return { readyMs, servedMs, cpuMs, rssMiB };
}

function figuresOf(services: number, goalMs: number, [cluster, folder]: readonly Start[]): readonly Figure[] {
  if (cluster === undefined) return [];
  const workload = `${services} services`;
  const figure = (what: string, unit: Figure['unit'], read: (sample: Start) => number): Figure => ({
    ...{ workload, what, value: read(cluster), unit },
    beside: folder === undefined ? [] : [{ to: 'from a folder', value: read(folder) }],
  });
  return [
    figure('ready', 'ms', ({ readyMs }) => readyMs),
    { ...figure('first configuration served', 'ms', ({ servedMs }) => servedMs), goal: goalMs },
    figure('server CPU until then', 'ms', ({ cpuMs }) => cpuMs),
    figure('RSS then', 'MiB', ({ rssMiB }) => rssMiB),
  ];
}

/** The same objects as files. */
function writeFolder(context: RowContext): string {
  const root = context.work;
  const path = `${root}/same`;
  writeMesh(path, [
    { path: 'namespace.yaml', objects: [meshNamespace] },
    ...(['Service', 'EndpointSlice'] as const).flatMap((kind) =>
      objects(kind, 0, SERVICES).map((object, index) => ({ path: `${kind}/${index}.yaml`, objects: [object] })),
    ),
  ]);
  return path;
}
