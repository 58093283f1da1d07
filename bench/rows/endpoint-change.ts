import { TypeUrls } from '../../src/xds/type-urls.ts';
import type { Comparison, Figure, RowReport } from '../measure/report.ts';
import { percentile } from '../measure/stats.ts';
import { clusterOf, defaultPlan, describeScope, endpointsFile, type MeshPlan } from '../mesh/mesh.ts';
import { type BareTimes, measureBare } from '../server/bare-process.ts';
import { DEBOUNCE } from '../server/xebec-process.ts';
import { type Change, type ChangeTimes, measureChanges } from './changes.ts';
import { endpointCount } from './content.ts';
import { withProfile } from './profile.ts';
import type { Row, RowContext } from './row.ts';
import { endScene, type SceneOptions, setScene } from './scene.ts';

type Case = SceneOptions & { readonly istioP50Ms?: number };

const plan: MeshPlan = { ...defaultPlan, services: 100, endpointsPerService: 10, pods: true };

/** One endpoint goes or comes back; every proxy is told of that cluster's endpoints and of nothing else. */
export const endpointChange: Row = {
  name: 'endpoint-change',
  run: async (context) => {
    const cases: readonly Case[] = [
      { plan, proxies: 100, protocol: 'delta', istioP50Ms: 225 },
      { plan, proxies: 1000, protocol: 'delta', istioP50Ms: 254 },
      ...(context.full ? fullCases : []),
    ];
    const figures: Figure[] = [];
    const surplus: string[] = [];
    for (const each of cases) {
      const times = await measure(context, each);
      figures.push(...figuresOf(each, times, await measureBare(times.bytes, each.proxies)));
      surplus.push(...times.surplus);
    }
    return [reportOf(figures, surplus)];
  },
};

const fullCases: readonly Case[] = [
  { plan, proxies: 2000, protocol: 'delta' },
  { plan, proxies: 1000, protocol: 'sotw' },
  { plan: { ...plan, services: 1000 }, proxies: 1000, protocol: 'delta' },
  { plan: { ...plan, services: 1000, namespaces: 50 }, proxies: 200, protocol: 'delta' },
];

/** The `index`th flip: a service loses its last endpoint, and has it back with the next flip. */
export function endpointFlip(of: MeshPlan, index: number): Change {
  const service = (Math.floor(index / 2) * 7) % of.services;
  const count = index % 2 === 0 ? of.endpointsPerService - 1 : of.endpointsPerService;
  const cluster = clusterOf(of, service);
  return {
    file: endpointsFile(of, service, count),
    isIt: ({ typeUrl, resources: [first, ...others] }) =>
      typeUrl === TypeUrls.endpoint && others.length === 0 && first?.name === cluster && endpointCount(first) === count,
  };
}

async function measure(context: RowContext, each: Case): Promise<ChangeTimes> {
  const scene = await setScene(context, each);
  const flips = Array.from({ length: context.full ? 50 : 12 }, (_, index) => endpointFlip(each.plan, index));
  const name = `endpoint-change-${each.plan.services}-${each.proxies}-${each.protocol}`;
  const times = await withProfile(context, scene.server, name, () =>
    measureChanges(scene, flips, { gapMs: context.full ? 900 : 300 }),
  );
  await endScene(scene);
  return times;
}

function figuresOf(each: Case, times: ChangeTimes, bare: BareTimes): readonly Figure[] {
  const { proxies, protocol, istioP50Ms } = each;
  const { services } = each.plan;
  const workload = `${services} services, ${proxies} proxies, ${describeScope(each.plan)}, ${protocol}`;
  const istio = istioP50Ms === undefined ? [] : [{ to: 'Istio', value: istioP50Ms }];
  const beside = (value: number): readonly Comparison[] => [{ to: 'bare', value }];
  const limits = proxies <= 1000 && services <= 100;
  return [
    {
      ...{ workload, what: 'last byte p50', value: percentile(times.arrivedMs, 0.5), unit: 'ms' },
      beside: [...istio, ...beside(bare.p50Ms)],
      ...(limits ? { goal: 20 } : {}),
    },
    {
      ...{ workload, what: 'last byte p99', value: percentile(times.arrivedMs, 0.99), unit: 'ms' },
      beside: beside(bare.p99Ms),
      ...(limits ? { goal: 200 } : {}),
    },
    { workload, what: 'ACK p50', value: percentile(times.confirmedMs, 0.5), unit: 'ms' },
    { workload, what: 'ACK p99', value: percentile(times.confirmedMs, 0.99), unit: 'ms' },
    { workload, what: 'server CPU a change', value: times.cpuMs, unit: 'ms', beside: beside(bare.cpuMs) },
    { workload, what: 'server waited for a CPU', value: times.waitedMs, unit: 'ms' },
    { workload, what: 'event loop p99', value: times.loop.p99Ms, unit: 'ms', goal: 20 },
    { workload, what: 'event loop longest block', value: times.loop.maxMs, unit: 'ms', goal: 50 },
  ];
}

export const BARE_NOTE =
  'bare: a server that sends messages of the same size to as many clients over the same transport, reads an answer to each, and decides nothing.';

function reportOf(figures: readonly Figure[], surplus: readonly string[]): RowReport {
  return {
    row: 2,
    title: 'Endpoint change → all proxies (and row 13, the event loop during it)',
    conditions: `10 endpoints a service; every proxy is a pod of the mesh; everything warm; one change at a time, so none waits for the debounce (${DEBOUNCE}); plaintext. From the rename of the file to the last byte, and to the confirmation, at each proxy; all changes and proxies together.`,
    figures,
    notes: [
      surplus.length === 0
        ? 'Every proxy was sent exactly the changed assignment, once.'
        : `**${surplus.length} responses were not needed**, such as ${surplus[0]}.`,
      BARE_NOTE,
      'The times include what this process needs to take the messages: about 0.05 ms for each.',
    ],
  };
}
