import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCluster } from '../cluster/bench-cluster.ts';
import { apiVersionOf, type BenchKind, meshNamespace, objects } from '../cluster/cluster-objects.ts';
import type { Figure } from '../measure/report.ts';
import { median } from '../measure/stats.ts';
import { writeMesh } from '../mesh/mesh-folder.ts';
import type { ServerOptions } from '../server/xebec-process.ts';
import type { Row, RowContext } from './row.ts';
import { quiesce } from './scene.ts';

const COUNT = 1000;
const MANY = 10_000;
const kinds: readonly BenchKind[] = ['Service', 'EndpointSlice', 'Pod', 'VirtualService'];

/** What the objects of a Kubernetes API cost in memory: each kind by itself, and very many of one. */
export const clusterMemory: Row = {
  name: 'cluster-memory',
  run: async (context) => {
    const cluster = await context.cluster();
    await cluster.create([meshNamespace]);
    const figures = [...(await measureKinds(context, cluster)), ...(await measureMany(context, cluster))];
    return [
      {
        row: 3,
        title: 'Memory, reading a Kubernetes API',
        conditions: `A real API server; no proxy; all flags at their defaults. RSS from the kernel, of a process that starts with these objects: “as it is” after the start, “collected” after a garbage collection through the inspector. Heap: what JavaScript holds after that. A slice has ten endpoints. Median of ${runs(context)} starts.`,
        figures,
        notes: ['JSON: the bytes of the list as the API server answers it.'],
      },
    ];
  },
};

function runs({ full }: RowContext): number {
  return full ? 5 : 1;
}

async function measureKinds(context: RowContext, cluster: BenchCluster): Promise<readonly Figure[]> {
  const source = cluster.pod;
  let before = await measure(context, source);
  const figures: Figure[] = [
    { workload: 'nothing', what: 'idle, as it is', value: before.rssMiB, unit: 'MiB', goal: 110 },
    { workload: 'nothing', what: 'idle, heap', value: before.heapMiB, unit: 'MiB' },
    { workload: 'nothing', what: 'server CPU of the start', value: before.cpuMs, unit: 'ms' },
  ];
  for (const kind of kinds) {
    await cluster.create(objects(kind, 0, COUNT));
    const json = (await cluster.jsonBytes(apiVersionOf[kind], kind)) / 1024 / 1024;
    const after = await measure(context, source);
    const workload = `+${COUNT} of ${kind}`;
    figures.push(
      {
        ...{ workload, what: 'heap for them', value: after.heapMiB - before.heapMiB, unit: 'MiB' },
        beside: [{ to: 'JSON', value: json }],
      },
      { workload, what: 'RSS for them, collected', value: after.collectedMiB - before.collectedMiB, unit: 'MiB' },
    );
    before = after;
  }
  const workload = `${COUNT} of each of these`;
  const folder = await measure(context, writeFolder(context));
  return [
    ...figures,
    ...figuresOf(workload, before),
    {
      ...{ workload, what: 'heap', value: before.heapMiB, unit: 'MiB' },
      beside: [{ to: 'from a folder', value: folder.heapMiB }],
    },
    {
      ...{ workload, what: 'RSS, as it is', value: before.rssMiB, unit: 'MiB' },
      beside: [{ to: 'from a folder', value: folder.rssMiB }],
    },
  ];
}

async function measureMany(context: RowContext, cluster: BenchCluster): Promise<readonly Figure[]> {
  await cluster.create(objects('EndpointSlice', COUNT, MANY));
  const json = (await cluster.jsonBytes(apiVersionOf.EndpointSlice, 'EndpointSlice')) / 1024 / 1024;
  const sample = await measure(context, cluster.pod);
  const workload = `${MANY} of EndpointSlice, ${COUNT} of the others`;
  return [
    ...figuresOf(workload, sample),
    { workload, what: 'heap', value: sample.heapMiB, unit: 'MiB', beside: [{ to: 'JSON of the slices', value: json }] },
    {
      ...{ workload, what: 'peak ÷ collected', value: sample.peakMiB / sample.collectedMiB, unit: '' },
      goal: 2.5,
    },
  ];
}

type Sample = {
  readonly rssMiB: number;
  readonly peakMiB: number;
  readonly collectedMiB: number;
  readonly heapMiB: number;
  readonly cpuMs: number;
};

async function measure(context: RowContext, source: ServerOptions['source']): Promise<Sample> {
  const samples: Sample[] = [];
  for (let run = 0; run < runs(context); run += 1) {
    const server = context.serve({ source });
    await server.ready();
    await quiesce(server);
    const { rssMiB, peakMiB, cpuMs } = server.usage();
    const collected = await server.usageAfterGc();
    await server.stop();
    samples.push({ rssMiB, peakMiB, cpuMs, collectedMiB: collected.rssMiB, heapMiB: collected.heapMiB });
  }
  const of = (read: (sample: Sample) => number): number => median(samples.map(read));
  return {
    rssMiB: of(({ rssMiB }) => rssMiB),
    peakMiB: of(({ peakMiB }) => peakMiB),
    collectedMiB: of(({ collectedMiB }) => collectedMiB),
    heapMiB: of(({ heapMiB }) => heapMiB),
    cpuMs: of(({ cpuMs }) => cpuMs),
  };
}

function figuresOf(workload: string, { peakMiB, collectedMiB, cpuMs }: Sample): readonly Figure[] {
  return [
    { workload, what: 'RSS, at most', value: peakMiB, unit: 'MiB' },
    { workload, what: 'RSS, collected', value: collectedMiB, unit: 'MiB' },
    { workload, what: 'server CPU of the start', value: cpuMs, unit: 'ms' },
  ];
}

/** The same objects as files. */
function writeFolder({ work }: RowContext): string {
  const root = join(work, 'same');
  mkdirSync(root);
  writeMesh(root, [
    { path: 'namespace.yaml', objects: [meshNamespace] },
    ...kinds.flatMap((kind) =>
      objects(kind, 0, COUNT).map((object, index) => ({ path: `${kind}/${index}.yaml`, objects: [object] })),
    ),
  ]);
  return root;
}
