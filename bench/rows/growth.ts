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
    const base = context.full ? { services: 250, proxies: 250 } : { services: 100, proxies: 50 };
    const figures: Figure[] = [];
    for (const axis of ['services', 'proxies'] as const) {
      const points: Point[] = [];
      for (const factor of factors) points.push(await measurePoint(context, { ...base, [axis]: base[axis] * factor }));
      figures.push(...figuresOf(axis, base, points));
    }
    return [
      {
        row: 11,
        title: 'Growth',
        conditions: `One endpoint a service, each proxy a pod of its own, unscoped; delta, plaintext, debounce ${DEBOUNCE}. “× linear” compares with the smallest size times the factor: 1 is linear, and what depends on nothing that grows comes near to 1/factor. A change of one endpoint should not depend on the number of services, and everything else at most linearly on both.`,
        figures,
        notes: [],
      },
    ];
  },
};

type Size = { readonly services: number; readonly proxies: number };

async function measurePoint(context: RowContext, { services, proxies }: Size): Promise<Point> {
  const plan: MeshPlan = { ...defaultPlan, services, endpointsPerService: 2, pods: true };
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
      const factor = factors[index] ?? 1;
      const size = { ...base, [axis]: base[axis] * factor };
      const [first = point] = points;
      const beside: readonly Comparison[] = index === 0 ? [] : [{ to: 'linear', value: read(first) * factor }];
      return { workload: `${size.services} services, ${size.proxies} proxies`, what, value: read(point), unit, beside };
    }),
  );
}
