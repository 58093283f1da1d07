import type { Comparison, Figure } from '../measure/report.ts';
import { percentile } from '../measure/stats.ts';
import { defaultPlan, type MeshPlan } from '../mesh/mesh.ts';
import { DEBOUNCE } from '../server/xebec-process.ts';
import { measureChanges } from './changes.ts';
import { endpointFlip } from './endpoint-change.ts';
import type { Row, RowContext } from './row.ts';
import { endScene, quiesce, setScene } from './scene.ts';

const factors = [1, 2, 4, 8];

type Point = {
  readonly changeMs: number;
  readonly changeCpuMs: number;
  readonly connectCpuMs: number;
  readonly rssMiB: number;
  readonly collectedMiB: number;
};

/** Rows 2, 3 and 9 with more and more services, and with more and more proxies. */
export const growth: Row = {
  name: 'growth',
  run: async (context) => {
    const base = context.full
      ? { services: 250, proxies: 250, namespaces: 1 }
      : { services: 100, proxies: 50, namespaces: 1 };
    const figures: Figure[] = [];
    for (const axis of ['services', 'proxies', 'namespaces'] as const) {
      const points: Point[] = [];
      for (const factor of factors) points.push(await measurePoint(context, { ...base, [axis]: base[axis] * factor }));
      figures.push(...figuresOf(axis, base, points));
    }
    return [
      {
        row: 11,
        title: 'Growth',
        conditions: `Two endpoints a service, each proxy a pod of its own, unscoped; delta, plaintext, debounce ${DEBOUNCE}. Each size doubles what grows. “× linear”: the last value beside the line through the first and the third; above 1 is worse than linear. A change of one endpoint should not depend on the number of services or namespaces.`,
        figures,
        notes: [],
      },
    ];
  },
};

type Size = { readonly services: number; readonly proxies: number; readonly namespaces: number };

async function measurePoint(context: RowContext, { services, proxies, namespaces }: Size): Promise<Point> {
  const plan: MeshPlan = { ...defaultPlan, services, namespaces, endpointsPerService: 2, pods: true };
  const scene = await setScene(context, { plan, proxies, protocol: 'delta' });
  await quiesce(scene.server);
  const { cpuMs: connectCpuMs, rssMiB } = scene.server.usage();
  const flips = Array.from({ length: 8 }, (_, index) => endpointFlip(plan, index));
  const times = await measureChanges(scene, flips, { gapMs: 250 });
  const { rssMiB: collectedMiB } = await scene.server.usageAfterGc();
  await endScene(scene);
  return { changeMs: percentile(times.arrivedMs, 0.5), changeCpuMs: times.cpuMs, connectCpuMs, rssMiB, collectedMiB };
}

function figuresOf(axis: keyof Size, base: Size, points: readonly Point[]): readonly Figure[] {
  const rows: readonly (readonly [string, (point: Point) => number, Figure['unit']])[] = [
    ['endpoint change, last byte p50', ({ changeMs }) => changeMs, 'ms'],
    ['endpoint change, server CPU', ({ changeCpuMs }) => changeCpuMs, 'ms'],
    ['start and connect all, server CPU', ({ connectCpuMs }) => connectCpuMs, 'ms'],
    ['RSS, as it is', ({ rssMiB }) => rssMiB, 'MiB'],
    ['RSS, collected', ({ collectedMiB }) => collectedMiB, 'MiB'],
  ];
  return rows.flatMap(([what, read, unit]) =>
    points.map((point, index): Figure => {
      const size = { ...base, [axis]: base[axis] * (factors[index] ?? 1) };
      const workload = `${size.services} services, ${size.proxies} proxies, ${size.namespaces} namespaces`;
      const figure = { workload, what, value: read(point), unit };
      return index === factors.length - 1 ? { ...figure, beside: [onTheLine(points.map(read))] } : figure;
    }),
  );
}

/** Where the last point would be on the line through the first and the last but one: what is worse than linear lies above. */
function onTheLine(values: readonly number[]): Comparison {
  const [from = Number.NaN, , to = Number.NaN] = values;
  const [start = 1, , middle = 4, end = 8] = factors;
  return { to: 'linear', value: from + ((to - from) * (end - start)) / (middle - start) };
}
