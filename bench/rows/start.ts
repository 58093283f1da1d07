import { performance } from 'node:perf_hooks';
import { Fleet } from '../ads-client/fleet.ts';
import type { Figure } from '../measure/report.ts';
import { median } from '../measure/stats.ts';
import { defaultPlan } from '../mesh/mesh.ts';
import { clientAt } from '../mesh/proxies.ts';
import { DEBOUNCE } from '../server/xebec-process.ts';
import type { Row, RowContext } from './row.ts';
import { checkFleet, prepareMesh } from './scene.ts';

const cases = [
  { services: 0, goalMs: 1000 },
  { services: 100, istioMs: 260 },
  { services: 1000, goalMs: 3000, istioMs: 560 },
] as const;

/** From the start of the process until a proxy that tries all the time has everything. */
export const start: Row = {
  name: 'start',
  run: async (context) => {
    const samples = new Map<number, Start[]>(cases.map(({ services }) => [services, []]));
    for (let round = 0; round < (context.full ? 7 : 3); round += 1) {
      for (const { services } of cases) samples.get(services)?.push(await measureStart(context, services));
    }
    return [
      {
        row: 12,
        title: 'Process start → first configuration served',
        conditions: `A folder of YAML, two files a service; everything cold but the file system’s cache; delta, plaintext, debounce ${DEBOUNCE}. Median of ${context.full ? 7 : 3} starts, in alternation.`,
        figures: cases.flatMap((each) => figuresOf(each, samples.get(each.services) ?? [])),
        notes: [],
      },
    ];
  },
};

type Start = { readonly boundMs: number; readonly servedMs: number; readonly cpuMs: number; readonly rssMiB: number };

async function measureStart(context: RowContext, services: number): Promise<Start> {
  const plan = { ...defaultPlan, services };
  const server = context.serve({ source: prepareMesh(context, plan) });
  const address = await server.address();
  const boundMs = performance.now() - server.startedAt;
  const fleet = new Fleet({ address, protocol: 'delta', nodes: [clientAt(0)] });
  await fleet.connect();
  const servedMs = performance.now() - server.startedAt;
  const { cpuMs, rssMiB } = server.usage();
  checkFleet(fleet, plan);
  fleet.close();
  await server.stop();
  return { boundMs, servedMs, cpuMs, rssMiB };
}

type Case = { readonly services: number; readonly goalMs?: number; readonly istioMs?: number };

function figuresOf({ services, goalMs, istioMs }: Case, samples: readonly Start[]): readonly Figure[] {
  const workload = `${services} services`;
  const of = (read: (sample: Start) => number): number => median(samples.map(read));
  return [
    { workload, what: 'port open', value: of(({ boundMs }) => boundMs), unit: 'ms' },
    {
      ...{ workload, what: 'first configuration served', value: of(({ servedMs }) => servedMs), unit: 'ms' },
      beside: istioMs === undefined ? [] : [{ to: 'Istio', value: istioMs }],
      ...(goalMs === undefined ? {} : { goal: goalMs }),
    },
    { workload, what: 'server CPU until then', value: of(({ cpuMs }) => cpuMs), unit: 'ms' },
    { workload, what: 'RSS then', value: of(({ rssMiB }) => rssMiB), unit: 'MiB' },
  ];
}
