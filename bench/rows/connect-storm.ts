import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import { Fleet } from '../ads-client/fleet.ts';
import type { Protocol } from '../ads-client/library.ts';
import type { Figure, RowReport } from '../measure/report.ts';
import { percentile } from '../measure/stats.ts';
import { defaultPlan, describeScope, type MeshPlan } from '../mesh/mesh.ts';
import { sidecars } from '../mesh/proxies.ts';
import { DEBOUNCE, type XebecProcess } from '../server/xebec-process.ts';
import { checkEqual } from './content.ts';
import { withProfile } from './profile.ts';
import type { Row } from './row.ts';
import { checkFleet, prepareMesh, quiesce } from './scene.ts';

type Case = {
  readonly plan: MeshPlan;
  readonly proxies: number;
  readonly protocol: Protocol;
  /** Over how long they come; Envoy waits a random while before it connects again. */
  readonly spreadMs: number;
  readonly goalMs?: number;
  readonly istio?: { readonly ms: number; readonly peakMiB: number };
};

export type Storm = {
  /** From the first attempt until the last proxy has everything. */
  readonly allMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
  readonly waitedMs: number;
  readonly peakMiB: number;
  readonly lost: number;
  readonly left: number;
  readonly loop: { readonly p99Ms: number; readonly maxMs: number };
};

const plan: MeshPlan = { ...defaultPlan, services: 100, endpointsPerService: 10, pods: true };

const shortCases: readonly Case[] = [
  { plan, proxies: 500, protocol: 'delta', spreadMs: 5000, istio: { ms: 5000, peakMiB: 151 } },
  { plan, proxies: 1000, protocol: 'delta', spreadMs: 0, goalMs: 10_000 },
];

const large: MeshPlan = { ...plan, services: 1000, endpointsPerService: 1 };

const fullCases: readonly Case[] = [
  ...shortCases,
  { plan, proxies: 1000, protocol: 'sotw', spreadMs: 0, goalMs: 10_000 },
  { plan: { ...large, scopedTo: 10 }, proxies: 1000, protocol: 'delta', spreadMs: 0, goalMs: 10_000 },
  { plan: large, proxies: 1000, protocol: 'delta', spreadMs: 0, goalMs: 10_000 },
];

/** All proxies connect to a server that has just started and has built nothing for any of them. */
export const connectStorm: Row = {
  name: 'connect-storm',
  run: async (context) => {
    const figures: Figure[] = [];
    for (const each of context.full ? fullCases : shortCases) {
      const server = context.serve({ source: prepareMesh(context, each.plan) });
      await server.ready();
      const name = `connect-storm-${each.plan.services}-${each.proxies}-${each.protocol}`;
      const storm = await withProfile(context, server, name, () => measureStorm(server, each));
      await server.stop();
      figures.push(...figuresOf(each, storm));
    }
    return [reportOf(figures)];
  },
};

export async function measureStorm(server: XebecProcess, each: Case): Promise<Storm> {
  const nodes = sidecars(each.plan, each.proxies);
  const fleet = new Fleet({ address: await server.address(), protocol: each.protocol, nodes });
  await quiesce(server);
  await server.readLoop();
  const before = server.usage();
  const began = performance.now();
  const times = await fleet.connect({ spreadMs: each.spreadMs });
  const allMs = performance.now() - began;
  const after = server.usage();
  const loop = await server.readLoop();
  checkFleet(fleet, each.plan);
  checkEqual(fleet.clients, TypeUrls.endpoint);
  const { lost } = fleet;
  fleet.close();
  const left = await streamsLeft(server);
  return {
    ...{ allMs, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), cpuMs: after.cpuMs - before.cpuMs },
    waitedMs: after.waitedMs - before.waitedMs,
    ...{ peakMiB: after.peakMiB, lost, left, loop },
  };
}

/** Streams whose clients are gone: the server hears of that a moment later. */
async function streamsLeft(server: XebecProcess): Promise<number> {
  for (let turn = 0; turn < 50 && (await server.metric('pilot_xds')) > 0; turn += 1) await sleep(100);
  return await server.metric('pilot_xds');
}

function figuresOf({ plan: of, proxies, ...each }: Case, storm: Storm): readonly Figure[] {
  const how = each.spreadMs === 0 ? 'at once' : `over ${each.spreadMs / 1000} s`;
  const workload = `${of.services} services, ${proxies} proxies ${how}, ${describeScope(of)}, ${each.protocol}`;
  const istio = (value: number | undefined): { readonly to: string; readonly value: number }[] =>
    value === undefined ? [] : [{ to: 'Istio without its limits', value }];
  return [
    {
      ...{
        workload,
        what: 'until the last has everything',
        value: storm.allMs,
        unit: 'ms',
        beside: istio(each.istio?.ms),
      },
      ...(each.goalMs === undefined ? {} : { goal: each.goalMs }),
    },
    { workload, what: 'one proxy p50', value: storm.p50Ms, unit: 'ms' },
    { workload, what: 'one proxy p99', value: storm.p99Ms, unit: 'ms' },
    { workload, what: 'server CPU', value: storm.cpuMs, unit: 'ms' },
    { workload, what: 'server CPU a proxy', value: storm.cpuMs / proxies, unit: 'ms' },
    { workload, what: 'peak RSS', value: storm.peakMiB, unit: 'MiB', beside: istio(each.istio?.peakMiB) },
    { workload, what: 'streams refused or lost', value: storm.lost, unit: '', goal: 0 },
    { workload, what: 'streams left behind', value: storm.left, unit: '', goal: 0 },
    { workload, what: 'server waited for a CPU', value: storm.waitedMs, unit: 'ms' },
    { workload, what: 'event loop p99', value: storm.loop.p99Ms, unit: 'ms', goal: 20 },
    { workload, what: 'event loop longest block', value: storm.loop.maxMs, unit: 'ms', goal: 50 },
  ];
}

function reportOf(figures: readonly Figure[]): RowReport {
  return {
    row: 9,
    title: 'Connect storm after a restart (and row 13, the event loop during it)',
    conditions: `Server just started and ready, no proxy has been there yet; proxies have nothing from before; every proxy is a pod of the mesh; debounce ${DEBOUNCE}; plaintext, a connection for each. Content is checked, and that endpoints are equal at all proxies.`,
    figures,
    notes: ['Istio with its default limits needs 43 s for the first case and refuses 2188 connections.'],
  };
}
